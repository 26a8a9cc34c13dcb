from __future__ import annotations

import os
import sys

import click

from daemon.cli.outcome import FAILED, leave

_TIMEOUT_S = 4.0
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # where it listens: where to ask


@click.command(short_help="Whether the running daemon is ready.")
def healthcheck() -> None:
    """Ask the running daemon whether it is ready: exit 0 or 1. For a container's HEALTHCHECK."""
    import http.client

    host, port = _address()
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        body = answer.read(64 * 1024).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        leave(FAILED, [f"no answer from {host}:{port}: {error}"])
    finally:
        connection.close()
    click.echo(body)
    sys.exit(0 if answer.status == 200 else FAILED)


def _address() -> tuple[str, int]:
    """Where the daemon listens. Read without the settings' model: this runs every half minute in a container."""
    from daemon.settings.layers import local_file, read_environment, read_toml, tracked_file

    layers = [read_environment(os.environ)]
    if (local := local_file(os.environ)) is not None:
        layers.append(read_toml(local))
    layers.append(read_toml(tracked_file()))
    host, port = (
        next((str(layer.values[path]) for layer in layers if path in layer.values), default)
        for path, default in ((("http", "host"), "127.0.0.1"), (("http", "port"), "8420"))
    )
    if not port.isdecimal():
        leave(FAILED, ["the port in the configuration is not a number; `marquee check` tells more"])
    return _ANYWHERE.get(host, host), int(port)
