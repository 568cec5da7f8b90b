"""How a channel speaks, for its pages: its messages in both languages while somebody words them, its quiet hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.alerts import times, wording
from apps.alerts.alert_messages import web_url
from apps.alerts.models.channel import LANGUAGES
from apps.alerts.pages.row_fields import DAYS
from apps.alerts.speaking import sentence_with_line
from apps.alerts.wording.sample import plain_text, sample_message
from apps.core import clock

# The environment of the made-up alerts.
_SAMPLE_ENVIRONMENT = "prod"


@dataclass(frozen=True)
class Preview:
    """One message as plain text; `code` and `name` are its language's."""

    code: str
    name: str
    text: str

    @property
    def uid(self) -> str:
        return f"preview-{self.code}"


@dataclass(frozen=True)
class Remark:
    """Something to say about a part of the wording, with its line; an error keeps it from being saved."""

    part: str
    sentence: str
    is_error: bool


def previews(templates: Mapping[str, str], time_zone: str) -> list[Preview]:
    """The sample message in each language. A zone that does not exist (yet: it is being typed) counts as UTC."""
    zone = "UTC" if times.zone_problem(time_zone) else time_zone
    usable = {part: text for part, text in templates.items() if len(text) <= wording.MAX_CHARACTERS}
    return [Preview(code, str(name), _sample(code, zone, usable)) for code, name in LANGUAGES]


def _sample(language: str, zone: str, templates: Mapping[str, str]) -> str:
    message = sample_message(
        language=language,
        time_zone=zone,
        wording=templates,
        at=clock.now(),
        web_url=web_url(),
        environment=_SAMPLE_ENVIRONMENT,
    )
    return plain_text(wording.write(message))


def remarks(templates: Mapping[str, str]) -> list[Remark]:
    """Everything there is to say about the templates, in reading order."""
    labels = {"title": _("Title"), "body": _("Message")}
    return [
        Remark(labels[part], sentence_with_line(problem), problem.is_error)
        for part in wording.PARTS
        for problem in wording.problems_of(templates.get(part, ""))
    ]


def placeholder_rows() -> list[tuple[str, Any]]:
    """Every placeholder and section as it is written, with what it stands for."""
    sections = [("{{#" + name + "}} … {{/" + name + "}}", label) for name, label in wording.SECTIONS.items()]
    return [*(("{{ " + name + " }}", label) for name, label in wording.PLACEHOLDERS.items()), *sections]


def quiet_words(quiet_hours: Iterable[Mapping[str, Any]]) -> list[str]:
    """Each range of hours on one line: "Mon, Tue, 22:00–07:00"."""
    names = dict(DAYS)
    pattern = _("%(days)s, %(start)s–%(end)s")
    return [
        pattern
        % {
            "days": pgettext("of quiet hours", "every day")
            if len(entry["days"]) == len(DAYS)
            else ", ".join(str(names[str(day)]) for day in entry["days"]),
            "start": entry["start"],
            "end": entry["end"],
        }
        for entry in quiet_hours
    ]
