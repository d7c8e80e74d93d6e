"""The real servers that the tests talk to: MariaDB, two S3 implementations, and a TCP proxy that breaks connections."""
