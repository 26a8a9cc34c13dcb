"""A simulated Plex: `PlexSim` is a media server with players and plex.tv, on loopback."""

from simulators.plex.sim import PlexSim

__all__ = ["PlexSim"]
