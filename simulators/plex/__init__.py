"""A simulated Plex on loopback: a media server with players and plex.tv; `sim.PlexSim` is the whole of it."""
