from __future__ import annotations

import click

from daemon.cli.configuration import settings_or_exit


@click.group()
def modules() -> None:
    """The features of the daemon."""


@modules.command(name="list")
def list_modules() -> None:
    """Every module found: where it comes from, its commands, its settings, and what is wrong with it."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from daemon.host.loader import discover, is_enabled

    settings = settings_or_exit()
    discovery = discover(settings.module_folders)
    table = Table("module", "version", "from", "state", "commands", "settings", title="Modules")
    for module, found in sorted(discovery.modules.items()):
        manifest = found.manifest
        given = settings.modules.get(module, {})
        state = "enabled" if is_enabled(given) else "disabled"
        table.add_row(
            Text(module, style="bold"),
            manifest.version,
            found.source,
            state + (", required" if manifest.required else ""),
            " ".join(f"/{name}" for name in manifest.commands),
            "\n".join(_in_effect(key, default, given) for key, default in manifest.config.items()),
        )
    for module, problem in sorted(discovery.broken.items()):
        table.add_row(Text(module, style="bold"), "", "", Text("broken", style="red"), "", Text(problem))
    console = Console()
    console.print(table)
    for line in (*discovery.mistakes, *discovery.shadowed):
        console.print(Text(line, style="yellow"))


def _in_effect(key: str, default: object, given: dict[str, object]) -> str:
    return f"{key} = {given[key]!r} (default {default!r})" if key in given else f"{key} = {default!r}"
