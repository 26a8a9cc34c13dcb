"""Which release this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    """The version of the installed package, "0" when the code runs without having been installed."""
    try:
        return version("marquee")
    except PackageNotFoundError:
        return "0"
