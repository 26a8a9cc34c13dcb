from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from daemon.kernel.lock import LOCK_NAME, FolderLock, LockHeld

HOLD = """
import sys
from pathlib import Path
from daemon.kernel.lock import FolderLock
with FolderLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_folder_is_made_and_held_by_one_process(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(LockHeld, match=f"is in use by the process with id {other.pid}") as raised,
            FolderLock(folder),
        ):
            pass
        assert raised.value.pid == other.pid
        other.kill()  # the hardest end gives the lock back, too
    with FolderLock(folder):
        pass
    with FolderLock(folder):
        pass


def test_a_lock_without_a_readable_id_is_still_a_lock(tmp_path: Path) -> None:
    with FolderLock(tmp_path):
        (tmp_path / LOCK_NAME).write_text("nonsense")
        with pytest.raises(LockHeld, match="another process") as raised, FolderLock(tmp_path):
            pass
    assert raised.value.pid is None


def test_a_folder_that_cannot_be_made_is_an_ordinary_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"), FolderLock(tmp_path / "file" / "data"):
        pass
