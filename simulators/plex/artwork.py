"""Posters drawn from a seed: a gradient, a motif that suits the genre, and the title. The same each time."""

from __future__ import annotations

import io
import math
import random
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw

Color = tuple[int, int, int]
SCALE = 2  # drawn this much larger and reduced, for smooth edges
TITLE_CHARS_MAX = 70

# Sky above, sky below, far shape, near shape, light.
PALETTES: tuple[tuple[Color, Color, Color, Color, Color], ...] = (
    ((18, 24, 58), (233, 106, 88), (84, 44, 92), (24, 18, 44), (255, 214, 150)),
    ((8, 46, 62), (98, 190, 176), (20, 92, 100), (6, 30, 40), (248, 244, 214)),
    ((54, 16, 42), (244, 152, 66), (140, 40, 60), (38, 10, 30), (255, 230, 176)),
    ((14, 14, 24), (88, 74, 150), (44, 36, 88), (14, 12, 28), (196, 220, 255)),
    ((226, 196, 150), (246, 232, 208), (190, 110, 74), (92, 50, 44), (230, 84, 62)),
    ((10, 30, 28), (70, 132, 84), (24, 70, 54), (8, 26, 22), (228, 240, 168)),
    ((30, 10, 60), (240, 60, 142), (94, 22, 124), (22, 8, 46), (92, 240, 250)),
    ((92, 140, 180), (238, 226, 214), (120, 150, 170), (52, 74, 96), (255, 250, 236)),
    ((20, 20, 20), (150, 38, 34), (70, 20, 22), (16, 10, 12), (250, 238, 224)),
    ((252, 196, 92), (250, 112, 88), (206, 64, 96), (92, 30, 78), (255, 246, 214)),
)  # fmt: skip
MOTIFS = {
    "Science Fiction": "orbit", "Fantasy": "orbit", "Crime": "skyline", "Thriller": "skyline", "Comedy": "rings",
    "Music": "rings", "Animation": "rings", "Family": "hills", "Drama": "hills", "Western": "hills", "War": "hills",
    "Adventure": "peaks", "Action": "rays", "Sport": "rays", "Mystery": "woods", "Horror": "woods", "Romance": "sea",
    "History": "sea", "Documentary": "peaks",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Design:
    """What to draw: `shape` is poster (2:3), square, still (16:9) or backdrop (16:9 without words)."""

    shape: str
    title: str
    caption: str
    genre: str
    seed: int


SIZES = {"poster": (400, 600), "square": (480, 480), "still": (640, 360), "backdrop": (1280, 720)}


def draw(design: Design, width: int = 0, height: int = 0) -> bytes:
    """A JPEG of the design, fitted into `width` by `height` pixels where given. Takes some 50 ms: use a thread."""
    from PIL import Image, ImageDraw, ImageFilter

    rng = random.Random(f"art:{design.seed}")
    full_w, full_h = (side * SCALE for side in SIZES[design.shape])
    palette = PALETTES[rng.randrange(len(PALETTES))]
    picture = _gradient(full_w, full_h, palette[0], palette[1])
    pen = ImageDraw.Draw(picture, "RGBA")
    _light(picture, rng, palette[4])
    _MOTIF_PENS[MOTIFS.get(design.genre, "sea")](pen, rng, full_w, full_h, palette)
    picture = picture.filter(ImageFilter.SMOOTH)
    _vignette(picture)
    if design.shape != "backdrop":
        _write(picture, design)
    target = _fit(SIZES[design.shape], width, height)
    picture = picture.resize(target, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=88)
    return out.getvalue()


def _fit(size: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    """`size` scaled to stay within the wanted box; a side of 0 sets no bound."""
    factor = min((width / size[0]) if width else math.inf, (height / size[1]) if height else math.inf)
    if math.isinf(factor):
        return size
    return (max(1, round(size[0] * factor)), max(1, round(size[1] * factor)))


def _gradient(width: int, height: int, above: Color, below: Color) -> Picture:
    from PIL import Image

    column = Image.new("RGB", (1, 256))
    for y in range(256):
        part = (y / 255) ** 1.2
        column.putpixel((0, y), tuple(round(a + (b - a) * part) for a, b in zip(above, below, strict=True)))
    return column.resize((width, height))


def _light(picture: Picture, rng: random.Random, color: Color) -> None:
    """A sun or moon with its glow."""
    from PIL import Image

    width, height = picture.size
    radius = int(min(width, height) * rng.uniform(0.13, 0.26))
    x, y = int(width * rng.uniform(0.28, 0.72)), int(height * rng.uniform(0.2, 0.42))
    glow = Image.radial_gradient("L").resize((radius * 6, radius * 6)).point(lambda level: max(0, 150 - level))
    picture.paste(color, (x - radius * 3, y - radius * 3), glow)
    disc = Image.new("L", (radius * 2, radius * 2))
    from PIL import ImageDraw

    ImageDraw.Draw(disc).ellipse((0, 0, radius * 2 - 1, radius * 2 - 1), fill=245)
    picture.paste(color, (x - radius, y - radius), disc)


def _vignette(picture: Picture) -> None:
    from PIL import Image

    shade = Image.radial_gradient("L").resize(picture.size).point(lambda level: max(0, level - 120))
    picture.paste((6, 6, 12), (0, 0), shade)
    width, height = picture.size
    foot = Image.linear_gradient("L").resize((width, height // 2)).point(lambda level: int(level * 0.75))
    picture.paste((8, 8, 14), (0, height - height // 2), foot)


def _hills(pen: ImageDraw, rng: random.Random, w: int, h: int, palette: tuple[Color, ...]) -> None:
    for layer, color in enumerate((palette[2], palette[3])):
        base, swing = h * (0.62 + layer * 0.16), h * 0.07
        phase, waves = rng.uniform(0, 6.3), rng.uniform(0.8, 1.8)
        line = [(x, base + swing * math.sin(phase + waves * 6.28 * x / w)) for x in range(0, w + 9, 8)]
        pen.polygon([*line, (w, h), (0, h)], fill=color)


def _peaks(pen: ImageDraw, rng: random.Random, w: int, h: int, palette: tuple[Color, ...]) -> None:
    for layer, color in enumerate((palette[2], palette[3])):
        points, x = [(0.0, h * 0.8)], 0.0
        while x < w:
            x += w * rng.uniform(0.08, 0.2)
            top = h * rng.uniform(0.42, 0.6) + layer * h * 0.2
            points += [(x, top), (x + w * rng.uniform(0.06, 0.14), top + h * rng.uniform(0.06, 0.16))]
        pen.polygon([*points, (w, h), (0, h)], fill=color)


def _sea(pen: ImageDraw, rng: random.Random, w: int, h: int, palette: tuple[Color, ...]) -> None:
    pen.rectangle((0, h * 0.6, w, h), fill=palette[2])
    for row in range(26):
        y = h * 0.61 + row * h * 0.016
        half = w * rng.uniform(0.04, 0.42) * (0.3 + row / 26)
        x = w * rng.uniform(0.3, 0.7)
        pen.line((x - half, y, x + half, y), fill=(*palette[4], 120 - row * 3), width=max(2, h // 300))
    pen.polygon([(w * 0.46, h * 0.61), (w * 0.54, h * 0.61), (w * 0.525, h * 0.625), (w * 0.475, h * 0.625)],
                fill=palette[3])  # fmt: skip
    pen.polygon([(w * 0.5, h * 0.53), (w * 0.5, h * 0.605), (w * 0.532, h * 0.605)], fill=palette[3])


def _skyline(pen: ImageDraw, rng: random.Random, w: int, h: int, palette: tuple[Color, ...]) -> None:
    for layer, color in enumerate((palette[2], palette[3])):
        x = -w * 0.02
        while x < w:
            wide, top = w * rng.uniform(0.06, 0.14), h * (rng.uniform(0.42, 0.68) + layer * 0.14)
            pen.rectangle((x, top, x + wide, h), fill=color)
            for _ in range(int(9 * layer)):
                lit_x, lit_y = x + wide * rng.uniform(0.1, 0.85), rng.uniform(top + 8, h * 0.97)
                size = w * 0.008
                pen.rectangle((lit_x, lit_y, lit_x + size, lit_y + size * 1.5), fill=(*palette[4], 190))
            x += wide + w * rng.uniform(0.0, 0.02)


def _orbit(pen: ImageDraw, rng: random.Random, w: int, h: int, palette: tuple[Color, ...]) -> None:
    for _ in range(130):
        x, y, size = rng.uniform(0, w), rng.uniform(0, h * 0.8), rng.uniform(1, 4)
        pen.ellipse((x, y, x + size, y + size), fill=(255, 255, 255, rng.randint(90, 220)))
    radius, x, y = w * 0.62, w * rng.uniform(0.2, 0.8), h * 1.02
    pen.ellipse((x - radius, y - radius * 0.8, x + radius, y + radius), fill=palette[3])
    pen.arc((x - radius, y - radius * 0.8, x + radius, y + radius), 190, 330, fill=palette[4], width=w // 160)
    for ring in range(3):
        wide = w * (0.36 + ring * 0.09)
        pen.arc((w / 2 - wide, h * 0.3 - wide * 0.3, w / 2 + wide, h * 0.3 + wide * 0.3), 0, 360,
                fill=(*palette[4], 90), width=max(2, w // 300))  # fmt: skip


def _rings(pen: ImageDraw, rng: random.Random, w: int, h: int, palette: tuple[Color, ...]) -> None:
    x, y = w * rng.uniform(0.3, 0.7), h * rng.uniform(0.32, 0.5)
    for ring in range(9, 0, -1):
        radius = w * 0.085 * ring
        color = (palette[2], palette[4], palette[3])[ring % 3]
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*color, 165 if ring > 1 else 255))


def _rays(pen: ImageDraw, rng: random.Random, w: int, h: int, palette: tuple[Color, ...]) -> None:
    x, y, turn = w * rng.uniform(0.35, 0.65), h * 0.42, rng.uniform(0, 1)
    for ray in range(18):
        start, end = (ray + turn) * 20, (ray + turn) * 20 + 9
        points = [(x + math.cos(math.radians(a)) * h, y + math.sin(math.radians(a)) * h) for a in (start, end)]
        pen.polygon([(x, y), *points], fill=(*palette[2 + ray % 2], 150))
    pen.polygon([(0, h * 0.78), (w, h * 0.66), (w, h), (0, h)], fill=palette[3])


def _woods(pen: ImageDraw, rng: random.Random, w: int, h: int, palette: tuple[Color, ...]) -> None:
    for layer, color in enumerate((palette[2], palette[3])):
        for _ in range(13 - layer * 4):
            x, wide = rng.uniform(-0.05, 1.05) * w, w * rng.uniform(0.012, 0.026) * (1 + layer)
            pen.polygon([(x - wide, h), (x + wide, h), (x + wide * 0.5, -9), (x - wide * 0.5, -9)], fill=color)
            for _ in range(3):
                y, reach = h * rng.uniform(0.2, 0.6), w * rng.choice((-1, 1)) * rng.uniform(0.05, 0.13)
                pen.line((x, y, x + reach, y - abs(reach) * 0.9), fill=color, width=int(wide * 0.6) + 1)


_MOTIF_PENS = {
    "hills": _hills, "peaks": _peaks, "sea": _sea, "skyline": _skyline, "orbit": _orbit, "rings": _rings, "rays": _rays,
    "woods": _woods,
}  # fmt: skip


def _write(picture: Picture, design: Design) -> None:
    """The title above a rule and a caption; a title in a script that the built-in font lacks is left out."""
    from PIL import ImageDraw, ImageFont

    pen = ImageDraw.Draw(picture)
    width, height = picture.size
    title = _ascii(design.title).strip(" *_`|<>@#")
    if len(title) > TITLE_CHARS_MAX:
        title = title[:TITLE_CHARS_MAX].rsplit(" ", 1)[0] + "..."
    small = ImageFont.load_default(width // 24)
    y = height * 0.93
    pen.text((width / 2, y), _ascii(design.caption).upper(), fill=(235, 228, 214), font=small, anchor="mm")
    pen.line((width * 0.4, y - height * 0.028, width * 0.6, y - height * 0.028), fill=(235, 228, 214), width=3)
    if not title:
        return
    for size in range(width // 8, width // 30, -3):
        font = ImageFont.load_default(size)
        lines = _wrapped(title.upper(), font.getlength, width * 0.86)
        if len(lines) * size * 1.12 < height * 0.34 and all(font.getlength(line) <= width * 0.88 for line in lines):
            break
    bottom = y - height * 0.055
    for place, line in enumerate(reversed(lines)):
        at = (width / 2, bottom - place * size * 1.12)
        pen.text((at[0] + 3, at[1] + 4), line, fill=(10, 10, 16), font=font, anchor="ms", stroke_width=2)
        pen.text(at, line, fill=(252, 248, 238), font=font, anchor="ms", stroke_width=max(1, size // 44))


def _ascii(text: str) -> str:
    """What the built-in font can show of a text: accents go, other scripts too."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'").replace("·", "-"))
    return "".join(ch for ch in plain if ch.isascii()).strip()


def _wrapped(text: str, measure: Callable[[str], float], width: float) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and measure(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
