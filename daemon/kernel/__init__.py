"""Machinery that knows nothing of Plex, Discord or modules: clocks, tasks, breakers, health, metrics, logs."""
