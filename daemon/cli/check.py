from __future__ import annotations

import json
import os
import sys

import click

from daemon.cli.outcome import BAD_CONFIG, FAILED, OK, leave


@click.command(short_help="The doctor: tries everything that is configured.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout instead of tables.")
def check(as_json: bool) -> None:
    """The doctor: every setting that matters, each server and bot tried, what is wrong and how to mend it.

    Exit 0 when all is well, 1 when something cannot be reached or used, 78 for wrong configuration.
    """
    import asyncio

    from daemon.cli.configuration import load_checked
    from daemon.cli.doctor import examine
    from daemon.core.errors import ConfigError
    from daemon.kernel import logs

    try:
        settings = load_checked(os.environ)
        logs.configure("console", "error", settings.secrets())
        findings = asyncio.run(examine(settings))
    except ConfigError as error:
        mistakes = [logs.redact(mistake) for mistake in error.mistakes]
        if as_json:
            click.echo(json.dumps({"status": "bad configuration", "mistakes": mistakes}, indent=2))
            sys.exit(BAD_CONFIG)
        leave(BAD_CONFIG, mistakes)
    if as_json:
        from daemon.cli.findings import to_document

        click.echo(logs.redact(json.dumps(to_document(settings, findings), indent=2)))
    else:
        from daemon.cli.tables import show

        show(settings, findings)
    sys.exit(OK if all(finding.is_fine for finding in findings) else FAILED)
