"""Values as bytes that tell whether they are whole, ours and of the expected kind. Pure.

A header of 16 bytes: magic "mqc" and the format, the region's version, whether there is a value at all, for how many
milliseconds it is fresh, and a CRC-32 of everything else; then the value in MessagePack.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

_HEAD = struct.Struct(">4sHHI")  # magic, version, is a value, fresh ms
_CHECKSUM = struct.Struct(">I")
_HEADER_BYTES = _HEAD.size + _CHECKSUM.size
_MAGIC = b"mqc1"
_FRESH_MS_MAX = 2**32 - 1


class Corrupt(Exception):
    """Bytes that are not a whole value of this kind. It never leaves the cache."""


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """A value, or the knowledge that there is none, and for how long it is fresh."""

    value: T | None
    is_missing: bool
    fresh_s: float


class ValueCodec(Generic[T]):
    """Values of one type. Another `version` means that the meaning of the bytes has changed: older ones are corrupt."""

    def __init__(self, kind: type[T], version: int) -> None:
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(kind)
        self._version = version

    def encode(self, kept: Kept[T]) -> bytes:
        """The bytes. TypeError for a value that MessagePack cannot express."""
        body = b"" if kept.is_missing else self._encoder.encode(kept.value)
        fresh_ms = min(_FRESH_MS_MAX, int(kept.fresh_s * 1000))
        head = _HEAD.pack(_MAGIC, self._version, not kept.is_missing, fresh_ms)
        return head + _CHECKSUM.pack(zlib.crc32(body, zlib.crc32(head))) + body

    def decode(self, data: bytes) -> Kept[T]:
        """The value; Corrupt when the bytes are cut, changed, foreign or of another version or type."""
        if len(data) < _HEADER_BYTES:
            raise Corrupt
        magic, version, is_value, fresh_ms = _HEAD.unpack_from(data)
        (checksum,) = _CHECKSUM.unpack_from(data, _HEAD.size)
        body = memoryview(data)[_HEADER_BYTES:]
        if magic != _MAGIC or version != self._version or zlib.crc32(body, zlib.crc32(data[: _HEAD.size])) != checksum:
            raise Corrupt
        if not is_value:
            return Kept(None, True, fresh_ms / 1000)
        try:
            return Kept(self._decoder.decode(body), False, fresh_ms / 1000)
        except msgspec.MsgspecError:
            raise Corrupt from None
