"""Personal data and secrets: one module per family of kinds, one scanner over them, one walk over a whole record."""
