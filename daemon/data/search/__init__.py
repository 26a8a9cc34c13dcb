"""The search file: an SQLite file beside whatever the main database is, made again from that whenever it is lost."""
