"""The daemons of the acceptance tests run under the detector of blocking calls; here it is shown to bite."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.acceptance.stage import PROJECT
from tests.blocking import TOLD

_SWALLOWED = """
import asyncio, contextlib, os
from tests import blocking

async def main():
    with contextlib.suppress(Exception):
        os.listdir()
    await asyncio.to_thread(os.listdir)

blocking.start()
asyncio.run(main())
"""


def test_a_blocking_call_is_told_even_when_its_error_is_swallowed() -> None:
    done = subprocess.run([sys.executable, "-c", _SWALLOWED], cwd=PROJECT, capture_output=True, text=True, check=True)
    (line,) = map(json.loads, done.stderr.splitlines())  # and not the call in the thread
    assert (line["event"], line["level"], line["call"]) == (TOLD, "error", "os.listdir")
    assert ", in main" in line["stack"]
