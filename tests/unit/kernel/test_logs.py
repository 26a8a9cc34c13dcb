from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

from daemon.kernel.logs import REDACTED, Redactor

CANARY = 'canary-0123456789/+"ü&token'


def run(script: str, fmt: str, level: str = "info") -> str:
    """What a fresh process writes to stderr: configuring the logs is for a whole process."""
    head = f"""
        import logging, sys, warnings
        import structlog
        from daemon.kernel import logs
        CANARY = {CANARY!r}
        logs.configure({fmt!r}, {level!r}, [CANARY])
        log = structlog.get_logger("daemon.test")
    """
    code = textwrap.dedent(head) + textwrap.dedent(script)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return done.stderr


def crashing(call: str) -> str:
    return f"""
        def inner(secret_argument):
            hidden = "value of a local variable"
            raise ValueError("no good: " + secret_argument)
        try:
            inner(CANARY)
        except ValueError:
            {call}
    """


@pytest.mark.parametrize("fmt", ["console", "json"])
@pytest.mark.parametrize(
    "call",
    [
        'log.exception("crashed", token=CANARY)',
        'logging.getLogger("discord").exception("crashed with %s", CANARY)',
    ],
)
def test_no_secret_and_no_local_variable_leaves_in_a_traceback(fmt: str, call: str) -> None:
    written = run(crashing(call), fmt)
    assert "ValueError" in written
    assert "inner" in written
    assert REDACTED in written
    assert "canary" not in written
    assert "value of a local variable" not in written


def test_json_is_one_object_a_line_with_the_three_fields() -> None:
    script = """
        log.info("ours", guilds=3, odd=object)
        log.debug("left out")
        logging.getLogger("aiohttp.server").warning("theirs %s", 5)
        logging.getLogger("discord").debug("left out")
        warnings.warn("careful")
        log.error("several\\nlines")
    """
    lines = [json.loads(line) for line in run(script, "json").splitlines()]
    assert [line["event"] for line in lines][:2] == ["ours", "theirs 5"]
    assert [line["level"] for line in lines] == ["info", "warning", "warning", "error"]
    assert all(line["timestamp"].endswith("Z") for line in lines)
    assert lines[0]["guilds"] == 3
    assert lines[1]["logger"] == "aiohttp.server"
    assert "careful" in lines[2]["event"]


def test_chatty_libraries_stay_quiet_even_when_we_debug() -> None:
    script = """
        log.debug("ours")
        for name in ("urllib3.connectionpool", "plexapi", "discord.gateway"):
            logging.getLogger(name).debug("theirs")
    """
    assert [json.loads(line)["event"] for line in run(script, "json", "debug").splitlines()] == ["ours"]


@pytest.mark.parametrize(
    "text",
    [
        f"plain {CANARY} plain",
        json.dumps({"token": CANARY}),
        json.dumps({"token": CANARY}, ensure_ascii=False),
        repr([CANARY]),
        "https://host/?auth=canary-0123456789%2F%2B%22%C3%BC%26token&x=1",
    ],
)
def test_a_secret_goes_in_every_form(text: str) -> None:
    redactor = Redactor()
    redactor.add(CANARY)
    assert "canary" not in redactor.redact(text)
    assert REDACTED in redactor.redact(text)


@pytest.mark.parametrize(
    "call",
    [
        "try:\n    crash()\nexcept ValueError:\n    sys.excepthook(*sys.exc_info())",
        "thread = threading.Thread(target=crash)\nthread.start()\nthread.join()",
    ],
)
def test_what_nobody_catches_is_a_line_like_any_other(call: str) -> None:
    script = f"import threading\ndef crash():\n    raise ValueError('no good: ' + CANARY)\n{call}\n"
    (line,) = run(script, "json").splitlines()
    told = json.loads(line)
    assert (told["event"], told["level"]) == ("uncaught", "critical")
    assert "ValueError: no good: " + REDACTED in told["exception"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("GET /library?X-Plex-Token=abcDEF123&x=1", "GET /library?X-Plex-Token=[redacted]&x=1"),
        ("{'X-Plex-Token': 'abcDEF123', 'Accept': 'x'}", "{'X-Plex-Token': '[redacted]', 'Accept': 'x'}"),
        (r"{\"x-plex-token\": \"abcDEF123\"}", r"{\"x-plex-token\": \"[redacted]\"}"),
        ("url%3FX-Plex-Token%3DabcDEF123", "url%3FX-Plex-Token%3D[redacted]"),
        (
            "POST /webhooks/123456789012345678/aW50ZXJhY3Rpb246MTIzNDU2Nzg5/messages",
            "POST /webhooks/123456789012345678/[redacted]/messages",
        ),
    ],
)
def test_tokens_nobody_told_us_go_too(text: str, kept: str) -> None:
    assert Redactor().redact(text) == kept


def test_a_short_secret_goes_only_as_a_word() -> None:
    redactor = Redactor()
    redactor.add("abc")
    redactor.add("  ")
    assert redactor.redact("abc abcdef token=abc;") == f"{REDACTED} abcdef token={REDACTED};"


def test_of_two_secrets_the_longer_goes_first() -> None:
    redactor = Redactor()
    redactor.add("long-secret")
    redactor.add("long-secret-and-more")
    assert redactor.redact("x long-secret-and-more x") == f"x {REDACTED} x"


def test_every_line_of_a_traced_task_says_so() -> None:
    script = """
        import asyncio
        from daemon.kernel.trace import traced
        async def work():
            with traced("ab" * 16):
                log.info("ours")
                logging.getLogger("discord.http").warning("of a library")
                await asyncio.to_thread(log.info, "in a thread")
                log.info("of another", trace_id="cd")
            log.info("untraced")
        asyncio.run(work())
    """
    lines = {line["event"]: line.get("trace_id") for line in map(json.loads, run(script, "json").splitlines())}
    mine = "ab" * 16
    assert lines == {"ours": mine, "of a library": mine, "in a thread": mine, "of another": "cd", "untraced": None}
