"""What a member is told when something fails: one sentence, what to do, a short code. Never a traceback."""

from __future__ import annotations

from dataclasses import dataclass

from discord import app_commands

from daemon.core.errors import TooFast, UpstreamError, UpstreamKind, UserError
from daemon.core.limits import MESSAGE_CHARS_MAX
from daemon.core.text import clamp
from daemon.kernel.trace import short
from integrations.discord.ui.layout import safe

_CODE_CHARS = 40  # room for the code behind a clamped sentence
_ADVICE = {
    UpstreamKind.UNAUTHORIZED: "its owner has to give this bot a new token",
    UpstreamKind.FORBIDDEN: "its owner has to allow it",
    UpstreamKind.NOT_FOUND: "search for it again",
    UpstreamKind.WRONG_SERVER: "the owner of this bot has to look at its settings",
}


@dataclass(frozen=True, slots=True)
class Explained:
    """`text` for the member, `outcome` for the metrics; the traceback of an incident, foreseen by nobody, is logged."""

    text: str
    outcome: str
    is_incident: bool = False


def explain(error: BaseException, trace_id: str) -> Explained:
    """Sort an exception by who must act; discord.py's wrappers are looked through."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    match error:
        case TooFast():
            when = f"That was a bit fast; you can do this again <t:{error.again_at}:R>."
            return Explained(f"{when} (`{error.code}`)", "refused")
        case UserError():
            return Explained(_sentence(error.text, error.code), "refused")
        case UpstreamError():
            advice = _ADVICE.get(error.kind, "please try again in a moment")
            return Explained(_sentence(f"{error.service} {error.kind}; {advice}.", "upstream"), "upstream")
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
            return Explained(
                _sentence("This command has changed; please type it again in a minute.", "old_command"), "outdated"
            )
        case app_commands.TransformerError():
            return Explained(_sentence(f"{error.value!s} is not a value for this option.", "bad_value"), "refused")
        case app_commands.CheckFailure():
            return Explained(_sentence("You may not do that here.", "not_allowed"), "refused")
        case _:
            text = "Something went wrong on our side; the owner finds it in the log."
            return Explained(_sentence(text, short(trace_id)), "error", True)


def _sentence(text: str, code: str) -> str:
    return f"{clamp(safe(text), MESSAGE_CHARS_MAX - _CODE_CHARS)} (`{code}`)"
