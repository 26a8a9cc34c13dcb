"""Sending spans away, where that is asked for: the libraries are optional, and whoever sends nothing pays nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from daemon.core.errors import ConfigError

_NO_OTEL = "sending traces needs OpenTelemetry: install it with pip install 'marquee[otel]', or leave the setting empty"


def export_to(endpoint: str, about: Mapping[str, str]) -> Callable[[], None]:
    """Send spans to an OpenTelemetry collector, see `otel.start`. Blocks: importing takes a moment.

    ConfigError when the optional libraries are missing.
    """
    try:
        from daemon.kernel import otel
    except ModuleNotFoundError as error:
        raise ConfigError([f"otel.endpoint: {_NO_OTEL} ({error.name} is missing)"]) from None
    return otel.start(endpoint, about)
