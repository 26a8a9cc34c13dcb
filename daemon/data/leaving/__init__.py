"""Leaving soon: rounds, what they list, who keeps what, and what became of it."""
