"""The colours of the design system, computed: no pair may be hard to read in either theme."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).resolve().parents[2] / "static" / "css" / "tokens.css"
STATUSES = ("ok", "warn", "bad", "mute", "info")
GROUNDS = ("canvas", "surface", "sunken", "raised", "hover", "selected")
THEMES = ("light", "dark")

_PAIR = re.compile(r"--([\w-]+):\s*light-dark\(oklch\(([^)]*)\),\s*oklch\(([^)]*)\)\)")


def read_tokens() -> dict[str, dict[str, tuple[float, float, float]]]:
    """Opaque colours by theme and token, as (lightness, chroma, hue in degrees)."""
    tokens: dict[str, dict[str, tuple[float, float, float]]] = {theme: {} for theme in THEMES}
    for name, light, dark in _PAIR.findall(TOKENS.read_text()):
        for theme, value in zip(THEMES, (light, dark), strict=True):
            if "/" not in value:
                lightness, chroma, hue = (float(part) for part in value.split())
                tokens[theme][name] = (lightness, chroma, hue)
    return tokens


def luminance(colour: tuple[float, float, float]) -> float:
    """Relative luminance 0..1 of an OKLCH colour, clipped to sRGB as a screen would."""
    lightness, chroma, hue = colour
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    red, green, blue = (min(1.0, max(0.0, channel)) for channel in (red, green, blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def weakest(theme: str, names: list[tuple[str, str]]) -> tuple[float, str]:
    colours = read_tokens()[theme]
    return min((contrast(colours[one], colours[other]), f"{one} on {other}") for one, other in names)


def test_the_computation_agrees_with_black_on_white() -> None:
    assert contrast((0.0, 0.0, 0.0), (1.0, 0.0, 0.0)) == pytest.approx(21.0, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
def test_words_reach_four_and_a_half_to_one_on_every_ground(theme: str) -> None:
    words = ["ink", "ink-2", "ink-3", "accent", *STATUSES]
    pairs = [(word, ground) for word in words for ground in GROUNDS]
    pairs += [(status, f"{status}-soft") for status in STATUSES]
    pairs += [(word, f"{status}-soft") for word in ("ink", "ink-2") for status in STATUSES]
    pairs += [("accent", "accent-soft"), ("primary-ink", "primary"), ("primary-ink", "primary-hover")]
    pairs += [("danger-ink", "danger"), ("danger-ink", "danger-hover")]
    ratio, pair = weakest(theme, pairs)
    assert ratio >= 4.5, f"{pair} is {ratio:.2f}:1 in the {theme} theme"


@pytest.mark.parametrize("theme", THEMES)
def test_shapes_lines_and_controls_reach_three_to_one(theme: str) -> None:
    shapes = [f"{status}-shape" for status in STATUSES]
    pairs = [(shape, ground) for shape in [*shapes, "accent-shape"] for ground in ("canvas", "surface", "sunken")]
    pairs += [(f"{status}-shape", f"{status}-soft") for status in STATUSES]
    pairs += [(line, ground) for line in ("control-line", "focus") for ground in ("canvas", "surface", "raised")]
    ratio, pair = weakest(theme, pairs)
    assert ratio >= 3.0, f"{pair} is {ratio:.2f}:1 in the {theme} theme"


def test_every_status_has_a_word_a_shape_and_a_ground_in_both_themes() -> None:
    tokens = read_tokens()
    wanted = {f"{status}{part}" for status in STATUSES for part in ("", "-shape", "-soft")}
    assert all(wanted <= set(tokens[theme]) for theme in THEMES)
