"""Sealing: by the newest key, opened by any; the key file is made once and is nobody else's to read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from daemon.core.errors import ConfigError
from daemon.kernel.logs import redact
from daemon.services.sealing import FILE, Sealing, Unsealable, load_keys

OLD, NEW = "o" * 40, "n" * 40


def test_what_is_sealed_is_not_readable_and_comes_back() -> None:
    box = Sealing([OLD])
    sealed = box.seal("a-token-of-somebody")
    assert "token" not in sealed
    assert sealed != box.seal("a-token-of-somebody")
    assert box.unseal(sealed) == "a-token-of-somebody"
    assert redact("GET /?t=a-token-of-somebody") == "GET /?t=[redacted]"


def test_several_keys_open_and_the_first_seals() -> None:
    sealed = Sealing([OLD]).seal("x")
    both = Sealing([NEW, OLD])
    assert both.unseal(sealed) == "x"
    renewed = both.renew(sealed)
    assert Sealing([NEW]).unseal(renewed) == "x"
    with pytest.raises(Unsealable):
        Sealing([OLD]).unseal(renewed)
    for damaged in (sealed[:-2], "", "nonsense", sealed.replace(sealed[20], "A" if sealed[20] != "A" else "B", 1)):
        with pytest.raises(Unsealable):
            both.unseal(damaged)
        with pytest.raises(Unsealable):
            both.renew(damaged)


def test_the_file_is_made_once_and_private(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: tuple(load_keys([], folder)), range(8)))
    assert len(set(found)) == 1
    assert [path.name for path in folder.iterdir()] == [FILE]
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600
    (key,) = found[0]
    assert len(key) >= 32
    assert key not in redact(f"the key is {key}")
    (folder / FILE).write_text(f"{NEW}\n{key}\n")
    assert load_keys([], folder) == [NEW, key]
    assert load_keys([OLD], folder) == [OLD]


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff\xfe" * 40])
def test_a_file_that_is_no_key_is_a_mistake(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ConfigError):
        load_keys([], tmp_path)
