"""Media, parts and streams of a playable title."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import cached_property

from simulators.plex import words
from simulators.plex.items import Item
from simulators.plex.words import pick

VIDEO, AUDIO, SUBTITLE = 1, 2, 3
LANGUAGES = (
    ("English", "en", "eng"), ("French", "fr", "fra"), ("German", "de", "deu"), ("Spanish", "es", "spa"),
    ("Japanese", "ja", "jpn"), ("Italian", "it", "ita"),
)  # fmt: skip
SIZES = {"4k": (3840, 2160), "1080": (1920, 1080), "720": (1280, 720), "sd": (720, 404)}
CODEC_NAMES = {"dca": "DTS", "dca-ma": "DTS-HD MA", "ac3": "AC3", "eac3": "EAC3", "truehd": "TrueHD"}
_UNSAFE = re.compile(r'[\\/:*?"<>|]')
LAYOUTS = {2: "Stereo", 6: "5.1", 8: "7.1"}


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a file; `kind` is Plex's streamType: 1 video, 2 audio, 3 subtitle."""

    id: int
    kind: int
    codec: str
    index: int
    bitrate: int = 0
    language: tuple[str, str, str] | None = None
    title: str | None = None
    channels: int = 0
    is_default: bool = False
    is_forced: bool = False
    is_for_deaf: bool = False

    @property
    def label(self) -> str:
        """What players show: `English (EAC3 5.1)`, `English SDH (SRT)`."""
        name = self.language[0] if self.language else "Unknown"
        codec = CODEC_NAMES.get(self.codec, self.codec.upper())
        if self.kind == SUBTITLE:
            extra = (" SDH" if self.is_for_deaf else "") + (" Forced" if self.is_forced else "")
            return f"{name}{extra} ({codec})"
        return f"{name} ({codec} {LAYOUTS.get(self.channels, 'Stereo')})"


@dataclass(frozen=True)
class Part:
    """One file. Its streams are drawn when somebody looks inside: listings never do."""

    id: int
    file: str
    size: int
    duration_ms: int
    container: str
    video_codec: str
    audio_codec: str
    channels: int
    bitrate: int

    @cached_property
    def streams(self) -> tuple[Stream, ...]:
        """Video first, then audio (English first), then subtitles; music has one audio stream."""
        if not self.video_codec:
            sound = Stream(self.id * 20, AUDIO, self.audio_codec, 0, self.bitrate, channels=2, is_default=True)
            return (sound,)
        return _streams(random.Random(self.id), self)


@dataclass(frozen=True, slots=True)
class Media:
    """One version of a title; a stacked one has several parts."""

    id: int
    resolution: str  # empty for music
    width: int
    height: int
    bitrate: int
    container: str
    video_codec: str
    audio_codec: str
    channels: int
    parts: tuple[Part, ...]
    deleted_at: int = 0  # when its file was found to be gone

    @property
    def size_bytes(self) -> int:
        """Of all its files."""
        return sum(part.size for part in self.parts)


def draw_media(rng: random.Random, item: Item) -> tuple[Media, ...]:
    """The versions of a playable title; none for one without duration."""
    if not item.duration_ms:
        return ()
    if item.kind == "track":
        return (_music(rng, item),)
    roll = rng.random() * 1000
    if roll < words.PER_MILLE_MULTI_VERSION:
        return (_video(rng, item, 1, "4k", 1), _video(rng, item, 2, "1080", 1))
    is_stacked = roll < words.PER_MILLE_MULTI_VERSION + words.PER_MILLE_MULTI_PART
    return (_video(rng, item, 1, pick(rng, words.RESOLUTIONS), 2 if is_stacked else 1),)


def _video(rng: random.Random, item: Item, version: int, resolution: str, parts: int) -> Media:
    container = pick(rng, words.CONTAINERS)
    codec = "hevc" if resolution == "4k" else pick(rng, words.VIDEO_CODECS)
    audio = pick(rng, words.AUDIO_CODECS)
    bitrate = {"4k": 22_000, "1080": 8_400, "720": 3_900, "sd": 1_500}[resolution] + int(rng.random() * 800) - 400
    duration = item.duration_ms or 0
    width, height = SIZES[resolution]
    channels = pick(rng, (2, 6, 6, 8))
    media_id = item.serial * 10 + version
    made = tuple(
        Part(
            id=media_id * 10 + number,
            file=_file(item, container, f" - part{number}" if parts > 1 else ""),
            size=bitrate * 125 * (duration // 1000) // parts,
            duration_ms=duration // parts,
            container=container,
            video_codec=codec,
            audio_codec=audio,
            channels=channels,
            bitrate=bitrate,
        )
        for number in range(1, parts + 1)
    )
    return Media(media_id, resolution, width, height, bitrate, container, codec, audio, channels, made)


def _streams(rng: random.Random, part: Part) -> tuple[Stream, ...]:
    english, first = LANGUAGES[0], part.id * 20
    others = rng.sample(LANGUAGES[1:], rng.choice((0, 1, 1, 2)))
    made = [
        Stream(first, VIDEO, part.video_codec, 0, part.bitrate - 640, english, is_default=True),
        Stream(first + 1, AUDIO, part.audio_codec, 1, 640, english, channels=part.channels, is_default=True),
    ]
    made.extend(Stream(first + 2 + n, AUDIO, "ac3", 2 + n, 448, lang, channels=6) for n, lang in enumerate(others))
    if rng.random() < 0.15:
        number = len(made)
        made.append(Stream(first + number, AUDIO, "aac", number, 192, english, "Director's commentary", channels=2))
    for lang in (english, *others) if rng.random() < 0.85 else ():
        number = len(made)
        made.append(Stream(first + number, SUBTITLE, "srt", number, 0, lang))
    if rng.random() < 0.3:
        number = len(made)
        made.append(Stream(first + number, SUBTITLE, "srt", number, 0, english, "SDH", is_for_deaf=True))
    return tuple(made)


def _music(rng: random.Random, item: Item) -> Media:
    codec, bitrate = pick(rng, (("flac", 920), ("mp3", 320), ("aac", 256)))
    media_id, duration = item.serial * 10 + 1, item.duration_ms or 0
    size = bitrate * 125 * duration // 1000
    part = Part(media_id * 10 + 1, _file(item, codec, ""), size, duration, codec, "", codec, 2, bitrate)
    return Media(media_id, "", 0, 0, bitrate, codec, "", codec, 2, (part,))


def _file(item: Item, extension: str, suffix: str) -> str:
    name = _UNSAFE.sub("_", item.title)[:120].strip()
    if item.kind == "episode" and item.parent:
        show = _UNSAFE.sub("_", item.top.title)
        number = f"S{item.parent.index or 0:02}E{item.index or 0:02}"
        return f"/media/TV/{show}/Season {item.parent.index or 0:02}/{show} - {number} - {name}{suffix}.{extension}"
    if item.kind == "track" and item.parent:
        return f"/media/Music/{item.top.title}/{item.parent.title}/{item.index or 0:02} - {name}.{extension}"
    named = f"{name} ({item.year})" if item.year else name
    return f"/media/Movies/{named}/{named}{suffix}.{extension}"
