"""Questions to a database that nobody asks while all is well; every one of them only reads."""
