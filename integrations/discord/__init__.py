"""The Discord edge: bots by token, one pipeline for every interaction, commands kept in step with Discord."""
