"""The libraries of all servers as they were last read: a mirror, made again whenever it is lost."""
