"""Errors sorted by one question: who must act? (docs/architecture.md, section 10)"""

from __future__ import annotations

from enum import StrEnum


class MarqueeError(Exception):
    """Root of every error that Marquee raises on purpose."""


class UserError(MarqueeError):
    """The caller can put it right; `text` is shown to them privately.

    `text` is one sentence for people, `code` a short stable word (`no_player`) that support can look for.
    """

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.text = text
        self.code = code


class TooFast(UserError):
    """Somebody asks too often; `again_at` is when they are let in, in whole Unix seconds."""

    def __init__(self, again_at: int) -> None:
        super().__init__("That was a bit fast; please wait a moment.", "too_fast")
        self.again_at = again_at


class OutOfDate(UserError):
    """What a button or menu was for is gone, or was never where it was pressed."""

    def __init__(self) -> None:
        super().__init__("This panel is out of date — open a new one.", "outdated")


class UpstreamKind(StrEnum):
    """How an upstream failed, in words that complete "Plex ..."."""

    UNREACHABLE = "is unreachable"  # refused, reset, no route, name not found
    TIMED_OUT = "did not answer in time"
    UNAUTHORIZED = "rejected the token"  # 401, and 498 for an expired plex.tv token
    FORBIDDEN = "does not allow it"  # 403
    NOT_FOUND = "does not know it"  # 404
    BUSY = "is busy or starting"  # 429, 503
    BROKEN = "gave an unreadable answer"  # HTML, cut XML or JSON, any other 4xx or 5xx
    RESTING = "is being left alone after repeated failures"  # circuit breaker open
    WRONG_SERVER = "is another server than before"  # machine identifier differs from the stored one


_REFUSALS = frozenset(
    {UpstreamKind.UNAUTHORIZED, UpstreamKind.FORBIDDEN, UpstreamKind.NOT_FOUND, UpstreamKind.WRONG_SERVER}
)


class UpstreamError(MarqueeError):
    """A service we depend on did not do its part; waiting or retrying may help.

    `service` names it for people ("Plex server attic"), `kind` says how it failed, `detail` is for the log only.
    """

    def __init__(self, service: str, kind: UpstreamKind, detail: str = "") -> None:
        super().__init__(f"{service}: {kind}" + (f" ({detail})" if detail else ""))
        self.service = service
        self.kind = kind
        self.detail = detail

    @property
    def is_refusal(self) -> bool:
        """Whether the service is there and says no; what it told before is then no substitute."""
        return self.kind in _REFUSALS


class ModuleError(MarqueeError):
    """A module broke its contract with the host; its author must act. The rest of the daemon goes on."""

    def __init__(self, module: str, problem: str) -> None:
        super().__init__(f"module {module}: {problem}")
        self.module = module
        self.problem = problem


class ConfigError(MarqueeError):
    """The operator must mend the configuration before the daemon can start: one line a mistake, all at once."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes
