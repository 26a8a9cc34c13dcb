"""The settings for a command: read, checked against the modules' manifests, or the process ends with every mistake."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon.cli.outcome import BAD_CONFIG, leave

if TYPE_CHECKING:
    from daemon.settings.model import Settings


def settings_or_exit(environ: Mapping[str, str] | None = None, *, use_local: bool = True) -> Settings:
    """The settings in effect; by default from this process's environment. Ends the process when they are wrong."""
    from daemon.core.errors import ConfigError

    try:
        return load_checked(os.environ if environ is None else environ, use_local=use_local)
    except ConfigError as error:
        leave(BAD_CONFIG, error.mistakes)


def load_checked(environ: Mapping[str, str], *, use_local: bool = True) -> Settings:
    """The settings with those of the modules checked, too; raises ConfigError with every mistake of both."""
    from daemon.settings.load import load

    return load(environ, use_local=use_local, judge_modules=_judge_modules)


def _judge_modules(
    folders: Sequence[Path], given: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    from daemon.host.loader import judge_settings

    typed, mistakes = judge_settings(folders, given)
    return typed, [f"module_folders: {folder} is not a folder" for folder in folders if not folder.is_dir()] + mistakes
