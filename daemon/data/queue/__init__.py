"""The queue's tables and the SQL on them: what waits, what was asked for once, what died, and large bodies."""
