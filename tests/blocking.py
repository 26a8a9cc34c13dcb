"""The detector of calls that block an event loop: what is excepted from it, and `marquee` run under it.

`python -m tests.blocking run` is `python -m daemon run` in which such a call raises, and is told on stderr as the log
event `blocking_call`, should somebody catch it.
"""

from __future__ import annotations

import json
import sys
import traceback

from blockbuster import BlockBuster, blockbuster
from blockbuster.blockbuster import BlockingError

TOLD = "blocking_call"

# Once a process and module, and only to say what went wrong: neither is worth a thread.
_MAY_BLOCK = {
    "<frozen importlib._bootstrap>": {"_find_and_load"},
    "linecache.py": {"checkcache", "updatecache"},
    "coverage/collector.py": {"lock_data", "unlock_data"},  # its own lock, held for an instant
}


def allow(detector: BlockBuster) -> None:
    """Except what may block."""
    for function in detector.functions.values():
        for file, names in _MAY_BLOCK.items():
            function.can_block_in(file, names)


class _Told(BlockingError):
    """Tells of itself as it is made: within the detector, which lets the writing pass."""

    def __init__(self, func: str) -> None:
        super().__init__(func)
        where = "".join(traceback.format_stack()[:-2])
        sys.stderr.write(json.dumps({"event": TOLD, "level": "error", "call": func, "stack": where}) + "\n")
        sys.stderr.flush()


def start() -> None:
    """From now on such a call is told and raises, until the process ends."""
    blockbuster.BlockingError = _Told  # type: ignore[misc]
    detector = BlockBuster()
    allow(detector)
    detector.activate()


def main() -> None:
    """`marquee`, under the detector."""
    from daemon.cli import main as marquee

    start()
    marquee()


if __name__ == "__main__":
    main()
