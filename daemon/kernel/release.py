"""Which release this is."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def installed_version() -> str:
    """The version of the installed package, "0" when the code runs without having been installed.

    The first call reads files; the command line makes it before there is an event loop.
    """
    try:
        return version("marquee")
    except PackageNotFoundError:
        return "0"
