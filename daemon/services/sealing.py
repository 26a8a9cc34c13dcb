"""Sealing: what must not be read from a stolen database is encrypted in it, by a key that lies elsewhere.

The key comes from the setting `secret_key`, or from a file beside the database that is made once. Several may be given:
the first seals, all of them open. So a key is changed by putting the new one before the old; a running daemon seals
everything anew with it, and then the old one can go.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from daemon.core.clock import Clock
from daemon.core.errors import ConfigError, MarqueeError, UserError
from daemon.core.limits import SEALING_KEY_CHARS_MIN
from daemon.data import keys
from daemon.data.store import Store
from daemon.kernel.logs import add_secret

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

FILE: Final = "secret.key"
"""Beside the database, readable by its owner alone: one key a line, the newest first."""

_PURPOSE = b"marquee sealing v1"
_MARKS_KEY = "privacy.marks"


class Unsealable(MarqueeError):
    """It was sealed with a key that we do not have (any more)."""

    def __init__(self) -> None:
        super().__init__("sealed with another key than those that secret_key gives")


class Sealing:
    """Seals short texts: tokens. Pure but for its keys; thread-safe."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        if not secret_keys:
            raise ValueError("sealing needs a key")
        self._keys = tuple(secret_keys)

    @cached_property
    def _box(self) -> MultiFernet:
        # Imported late: a daemon in which nobody has linked an account does without 6 MB.
        from cryptography.fernet import Fernet, MultiFernet

        return MultiFernet([Fernet(_derive(key)) for key in self._keys])

    def seal(self, text: str) -> str:
        """Encrypted and authenticated, as ASCII text; each time another."""
        return self._box.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """What was sealed; never shown in a log from now on. Unsealable."""
        with _told_apart():
            text = self._box.decrypt(sealed.encode()).decode()
        add_secret(text)
        return text

    def renew(self, sealed: str) -> str:
        """The same, sealed by the first key. Unsealable."""
        with _told_apart():
            return self._box.rotate(sealed.encode()).decode()


class Marks:
    """Keyed hashes of Plex accounts and profiles, for what has to be recognised and must not be told from a table.

    Their key is made once and lies in the database, sealed: another secret key may follow without any mark changing.
    """

    def __init__(self, store: Store, clock: Clock, sealing: Sealing) -> None:
        self._store = store
        self._clock = clock
        self._sealing = sealing
        self._key: bytes | None = None

    async def of(self, kind: str, number: int) -> bytes:
        """32 bytes for ("account", 4100001), the same for ever. UserError while the key cannot be opened."""
        if self._key is None:
            candidate = self._sealing.seal(secrets.token_hex(32)).encode()
            now = self._clock.now()
            stored = await self._store.write(lambda tx: keys.get_or_add(tx, _MARKS_KEY, candidate, now))
            try:
                self._key = bytes.fromhex(self._sealing.unseal(stored.decode()))
            except Unsealable:
                # Another key would not recognise those who had everything forgotten.
                text = (
                    "The key that seals what is kept of people is missing; the owner of this bot has to bring it back."
                )
                raise UserError(text, "sealed") from None
        return hmac.digest(self._key, f"{kind}:{number}".encode(), hashlib.sha256)

    async def renew(self) -> None:
        """Seal their key by the first secret key. Unsealable."""
        stored = await self._store.read(lambda tx: keys.find(tx, _MARKS_KEY))
        if stored is not None:
            after = self._sealing.renew(stored.decode()).encode()
            await self._store.write(lambda tx: keys.replace(tx, _MARKS_KEY, stored, after))


def load_keys(given: Sequence[str], data_dir: Path) -> list[str]:
    """The keys of the setting, else those of the file in `data_dir`, which is made when missing. Blocking.

    ConfigError when the file cannot be made or read, or is not what it should be.
    """
    if given:
        return list(given)
    path = data_dir / FILE
    try:
        if not path.exists():
            _make(path)
        found = [line.strip() for line in path.read_text(encoding="ascii").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigError([f"the key that seals tokens, {path}, cannot be used: {reason}"]) from None
    if not found or any(len(key) < SEALING_KEY_CHARS_MIN for key in found):
        raise ConfigError([f"{path}: each line must be a key of {SEALING_KEY_CHARS_MIN} characters at least"])
    for key in found:
        add_secret(key)
    return found


def _make(path: Path) -> None:
    """Of several processes that make it at once the first one's file stays; a crash leaves none that is cut."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(unfinished, path)
    finally:
        unfinished.unlink()


@contextmanager
def _told_apart() -> Iterator[None]:
    """What the library raises for another key, as our own word for it."""
    from cryptography.fernet import InvalidToken

    try:
        yield
    except InvalidToken:
        raise Unsealable from None


def _derive(secret_key: str) -> bytes:
    """A Fernet key of whatever text the operator gave."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret_key.encode())
    return base64.urlsafe_b64encode(key)
