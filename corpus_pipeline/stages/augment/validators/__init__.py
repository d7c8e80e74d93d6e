"""Validators: what an answer must be before it may become a row. Shared by all strategies, each with a name.

A strategy declares its validators with their parameters; a recipe may leave some out by name
(`without: [numbers_kept]`) or let some only tag the new row (`tag_only: [language]`), but never `finished` and
`not_empty`: a cut or empty answer is a failed sample whatever a recipe says.
"""
