"""What deleting a title came to, as far as the server said."""

from __future__ import annotations

from enum import StrEnum


class Deletion(StrEnum):
    """The server's answer to being asked to delete a title."""

    DONE = "done"
    ABSENT = "absent"  # it had none of that key
    ANOTHER = "another"  # that key is another title's; nothing was deleted
