"""How the C library hands out memory."""

from __future__ import annotations

import ctypes

_M_ARENA_MAX = -8  # malloc.h of glibc


def share_arena() -> None:
    """Let all threads allocate from one arena; to be called before the first thread starts.

    glibc gives each thread an arena of its own, against contention that Python's lock does not let arise: a dozen
    threads that mostly wait kept 2 MB between them. Nothing happens where the C library has no such switch.
    """
    try:
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
    except (OSError, AttributeError):
        return
