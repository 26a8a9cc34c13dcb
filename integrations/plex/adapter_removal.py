"""Deleting a title from its server and its disks, through plexapi. Runs in the adapter's threads only."""

from __future__ import annotations

from plexapi.exceptions import NotFound
from plexapi.server import PlexServer

from integrations.plex.removal_values import Deletion


def delete_title(server: PlexServer, rating_key: int, guid: str) -> Deletion:
    """Delete the title of that key when it has that guid; one request before, so that nothing else can be meant.

    The failure of the deletion itself comes out as the adapter maps it: whether it was done is then not known.
    """
    try:
        found = server.fetchItem(rating_key)
    except NotFound:
        return Deletion.ABSENT
    if found.guid != guid:
        return Deletion.ANOTHER
    found.delete()
    return Deletion.DONE
