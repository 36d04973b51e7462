"""Plots as small SVG files, and contact sheets as JPEG."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from _studio_clips import Pixels

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 64, 56, 40
COLOURS = ("#2563eb", "#dc2626", "#d97706", "#059669", "#7c3aed")
TEXT, FAINT = "#57606a", "#d0d7de"


def lines(
    path: Path, title: str, series: Mapping[str, Sequence[float]], *, across: str, up: str, first: int = 0
) -> None:
    """A line for each series over equal steps, which are numbered from `first`."""
    values = [value for each in series.values() for value in each]
    low, high = min(values), max(values)
    low, high = low - (high - low) * 0.05 - 1e-9, high + (high - low) * 0.05 + 1e-9
    count = max(len(each) for each in series.values())
    parts = [*_grid(low, high), *_labels(title, across, up), *_ticks(first, count)]
    legend = LEFT
    for index, (name, each) in enumerate(series.items()):
        points = " ".join(f"{_x(step, count):.1f},{_y(value, low, high):.1f}" for step, value in enumerate(each))
        colour = COLOURS[index % len(COLOURS)]
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        parts.append(_text(legend, 40, name, colour))
        legend += 7 * len(name) + 16
    _write(path, parts)


def bars(path: Path, title: str, values: Mapping[str, float], *, up: str, aim: float | None = None) -> None:
    """A bar for each value, and a dashed line where the aim is."""
    high = max([*values.values(), aim or 0.0]) * 1.15 + 1e-9
    parts = [*_grid(0, high), *_labels(title, "", up)]
    step = (WIDTH - LEFT - RIGHT) / max(len(values), 1)
    for index, (name, value) in enumerate(values.items()):
        x, y = LEFT + step * (index + 0.2), _y(value, 0, high)
        size = f'width="{step * 0.6:.1f}" height="{HEIGHT - BOTTOM - y:.1f}"'
        parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="{COLOURS[0]}"/>')
        parts.append(_text(x + step * 0.3, y - 5, f"{value:.3g}", TEXT, "middle"))
        for row, word in enumerate(name.split("\n")):
            parts.append(_text(x + step * 0.3, HEIGHT - BOTTOM + 14 + 13 * row, word, TEXT, "middle"))
    if aim is not None:
        y = _y(aim, 0, high)
        stroke = f'stroke="{COLOURS[1]}" stroke-width="1.2" stroke-dasharray="5 4"'
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" {stroke}/>')
        parts.append(_text(WIDTH - RIGHT + 4, y + 4, f"aim {aim:g}", COLOURS[1]))
    _write(path, parts)


def sheet(path: Path, rows: Mapping[str, Sequence[Pixels]], *, width: int = 300) -> None:
    """Rows of pictures, RGB, each row with its caption above it."""
    columns = max(len(each) for each in rows.values())
    tall = [round(width * each[0].shape[0] / each[0].shape[1]) for each in rows.values()]
    whole = Image.new("RGB", (columns * (width + 4) + 4, sum(tall) + 24 * len(rows) + 4), "white")
    pen, top = ImageDraw.Draw(whole), 0
    for (caption, pictures), height in zip(rows.items(), tall, strict=True):
        pen.text((6, top + 6), caption, fill="black", font_size=12)
        for column, picture in enumerate(pictures):
            small = Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS)
            whole.paste(small, (4 + column * (width + 4), top + 24))
        top += height + 24
    whole.save(path, quality=82, optimize=True)


def _x(step: int, count: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * step / max(count - 1, 1)


def _y(value: float, low: float, high: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low)


def _grid(low: float, high: float) -> list[str]:
    parts: list[str] = []
    spacing = _round((high - low) / 4)
    for number in np.arange(np.ceil(low / spacing), np.floor(high / spacing) + 1):
        value = float(number) * spacing
        y = _y(value, low, high)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{FAINT}"/>')
        parts.append(_text(LEFT - 6, y + 4, f"{value:.3g}", TEXT, "end"))
    return parts


def _round(value: float) -> float:
    """1, 2 or 5 times a power of ten, at most the value."""
    power = 10 ** np.floor(np.log10(value))
    return float(power * max(each for each in (1, 2, 5) if each * power <= value * 1.0001))


def _labels(title: str, across: str, up: str) -> list[str]:
    found = [_text(LEFT, 20, title, TEXT, weight="bold")]
    found.append(
        f'<text x="16" y="{HEIGHT / 2}" transform="rotate(-90 16 {HEIGHT / 2})" text-anchor="middle" fill="{TEXT}">'
    )
    found[-1] += f"{escape(up)}</text>"
    return [*found, _text(WIDTH - RIGHT, HEIGHT - 8, across, TEXT, "end")]


def _ticks(first: int, count: int) -> list[str]:
    every = max(1, count // 8)
    steps = range(0, count, every)
    return [_text(_x(step, count), HEIGHT - BOTTOM + 16, str(first + step), TEXT, "middle") for step in steps]


def _text(x: float, y: float, words: str, colour: str, anchor: str = "start", weight: str = "normal") -> str:
    style = f'fill="{colour}" text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'


def _write(path: Path, parts: list[str]) -> None:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
    head += 'font-family="system-ui, sans-serif" font-size="12">'
    path.write_text("\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>\n"]))
