"""Discord's error answers: `{code, message, errors}` with the codes of its documentation."""

from __future__ import annotations

from typing import NamedTuple

from simulators.discord.objects import Json

MESSAGES: dict[int, tuple[int, str]] = {
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10011: (404, "Unknown Role"),
    10013: (404, "Unknown User"),
    10014: (404, "Unknown Emoji"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    20012: (403, "You are not authorized to perform this action on this application"),
    30003: (400, "Maximum number of pins reached for the channel (50)"),
    30034: (400, "Max number of daily application command creates has been reached (200)"),
    30046: (429, "Maximum number of edits to messages older than 1 hour reached. Try again later"),
    40060: (400, "Interaction has already been acknowledged."),
    50001: (403, "Missing Access"),
    50003: (403, "Cannot execute action on a DM channel"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50013: (403, "Missing Permissions"),
    50027: (401, "Invalid Webhook Token"),
    50034: (400, "You can only bulk delete messages that are under 14 days old."),
    50035: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
}


class ApiError(Exception):
    """Ends a request with an error answer; `errors` is the nested tree of a 50035, `retry_after_s` goes with a 429."""

    def __init__(self, code: int, errors: Json | None = None, *, retry_after_s: float | None = None) -> None:
        status, message = MESSAGES[code]
        super().__init__(f"{code} {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors
        self.retry_after_s = retry_after_s

    def to_json(self) -> Json:
        """The body to answer with."""
        body: Json = {"message": self.message, "code": self.code}
        if self.errors:
            body["errors"] = self.errors
        if self.retry_after_s is not None:
            body |= {"retry_after": self.retry_after_s, "global": False}
        return body


class Violation(NamedTuple):
    """Where (`components.0.label`), Discord's code (`BASE_TYPE_MAX_LENGTH`), and what is wrong."""

    path: str
    code: str
    text: str

    def __str__(self) -> str:
        return f"{self.path or 'body'}: {self.text} [{self.code}]"


def invalid_form(violations: list[Violation]) -> ApiError:
    """50035 with its nested tree: `{"data": {"content": {"_errors": [{"code", "message"}]}}}`."""
    tree: Json = {}
    for path, code, text in violations:
        node = tree
        for part in path.split(".") if path else ():
            node = node.setdefault(part, {})
        node.setdefault("_errors", []).append({"code": code, "message": text})
    return ApiError(50035, tree)
