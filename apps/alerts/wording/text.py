"""A message in words, before any receiver's mark-up, and cutting such words to a receiver's limits. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import ngettext

_JOINER = "\u200d"
_ELLIPSIS = "…"
# A letter may carry marks without end; so many stay together.
_LONGEST_CLUSTER = 32


@dataclass(frozen=True)
class Line:
    """One alert in words. `subject` and `sentence` may hold text from outside, always on one line, never mark-up.

    `mark` is a word for how it stands ("Critical", "Resolved"), `tone` the code behind it: critical, warning, info,
    acknowledged or resolved. A line of the user's own words, or of our own without a subject, has only a sentence.
    """

    sentence: str
    subject: str = ""
    mark: str = ""
    tone: str = "info"
    when: str = ""
    details: tuple[str, ...] = ()
    url: str = ""


@dataclass(frozen=True)
class Text:
    """A whole message in one language. `links` are (label, absolute URL), the first leads to what it is about.

    `lines` are the worst alerts first and `omitted` how many more there are: `shown` gives both together. `severity` is
    the worst that fires; `tone` how the whole message is to be coloured. `summary` and `footer` may be empty. Nothing
    in it is escaped: every channel does that in its own way.
    """

    title: str
    lines: tuple[Line, ...]
    links: tuple[tuple[str, str], ...]
    severity: str
    footer: str
    summary: str = ""
    tone: str = "info"
    language: str = "en"
    omitted: int = 0

    def shown(self, limit: int) -> tuple[Line, ...]:
        """The first `limit` alerts, and where any is left out a last line that says how many are.

        The user's own words are given as they are, whatever their number of lines.
        """
        in_own_words = not any(line.subject for line in self.lines)
        kept = self.lines if in_own_words else self.lines[:limit]
        left_out = self.omitted + len(self.lines) - len(kept)
        if not left_out:
            return kept
        with translation.override(self.language):
            words = ngettext("And %(count)s more.", "And %(count)s more.", left_out) % {"count": f"{left_out:,}"}
        return (*kept, Line(words, url=self.link))

    @property
    def link(self) -> str:
        """Where it leads; empty only when nobody said."""
        return self.links[0][1] if self.links else ""


def one_line(value: object, limit: int = 2_000) -> str:
    """Text from outside on one line, without control characters and halves of characters, at most `limit` long."""
    text = str(value)[: 2 * limit]
    clean = "".join(letter if letter.isprintable() or letter == _JOINER else _stand_in(letter) for letter in text)
    return cut(" ".join(clean.split()), limit)


def _stand_in(letter: str) -> str:
    return "\ufffd" if unicodedata.category(letter) == "Cs" else " "


def size(text: str) -> int:
    """Characters as receivers count them: one outside the first plane may count as two, so it does here."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def cut(text: str, limit: int, escape: Callable[[str], str] = str) -> str:
    """`text` with every character escaped, in at most `limit` characters, ending in "…" where it was cut.

    The cut falls between what a reader sees as characters: never inside a surrogate pair, an escape, a letter with its
    marks or a joined emoji.
    """
    whole = "".join(map(escape, text))
    if size(whole) <= limit:
        return whole
    kept: list[str] = []
    room = limit - len(_ELLIPSIS)
    for cluster in _clusters(text):
        piece = "".join(map(escape, cluster))
        room -= size(piece)
        if room < 0:
            break
        kept.append(piece)
    return ("".join(kept).rstrip() + _ELLIPSIS) if limit > 0 else ""


def _clusters(text: str) -> Iterator[str]:
    """What a reader sees as one character, near enough: marks, variation selectors and joined emoji stay together."""
    cluster = ""
    for letter in text:
        if cluster and len(cluster) < _LONGEST_CLUSTER and (cluster[-1] == _JOINER or _continues(letter)):
            cluster += letter
            continue
        if cluster:
            yield cluster
        cluster = letter
    if cluster:
        yield cluster


def _continues(letter: str) -> bool:
    is_skin_tone = "\U0001f3fb" <= letter <= "\U0001f3ff"
    # The vowels and final consonants of a Korean syllable that was typed in parts.
    is_part_of_syllable = "\u1160" <= letter <= "\u11ff"
    return (
        letter == _JOINER or is_skin_tone or is_part_of_syllable or unicodedata.category(letter) in ("Mn", "Me", "Mc")
    )
