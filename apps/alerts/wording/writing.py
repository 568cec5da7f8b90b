"""A message in words: title, one line an alert, links. The one place where a payload becomes language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from apps.alerts.channels.base import Message, MessageType
from apps.alerts.times import zone_of
from apps.alerts.wording.people_data import people_data, severity_of
from apps.alerts.wording.quantities import moment_words, parse_moment, quantity, span_words
from apps.alerts.wording.sentences import SEVERITY_WORDS, cause_words, sentence_of
from apps.alerts.wording.text import Line, Text, one_line
from apps.alerts.wording.user_words import render_user_words
from apps.catalog.naming import Name

SUBJECT_CHARACTERS = 300
LANGUAGES = ("en", "ko")
_FIRING_TITLES: dict[str, Any] = {
    "critical": gettext_lazy("Critical: %(subject)s"),
    "warning": gettext_lazy("Warning: %(subject)s"),
    "info": gettext_lazy("Info: %(subject)s"),
}
_RAISED_TITLES: dict[str, Any] = {
    "critical": gettext_lazy("Now critical: %(subject)s"),
    "warning": gettext_lazy("Now a warning: %(subject)s"),
}
_REMINDER_TITLES: dict[str, Any] = {
    "critical": gettext_lazy("Still critical, since %(span)s: %(subject)s"),
    "warning": gettext_lazy("Still a warning, since %(span)s: %(subject)s"),
    "info": gettext_lazy("Still so, since %(span)s: %(subject)s"),
}
_LINK_LABELS: dict[str, Any] = {
    "view": pgettext_lazy("a link in a message", "Open"),
    "acknowledge": pgettext_lazy("a link in a message", "Acknowledge"),
    "silence": pgettext_lazy("a link in a message", "Silence"),
}


def write(message: Message) -> Text:
    """The message in its language and time zone, in the user's own words where there are any.

    Nothing is escaped yet, and nothing from outside has a line break or a control character in it.
    """
    language = message.language if message.language in LANGUAGES else LANGUAGES[0]
    with translation.override(language):
        return _Writer(message, language).text()


class _Writer:
    """One message while it is worded; the language is active."""

    def __init__(self, message: Message, language: str) -> None:
        self.message, self.language = message, language
        self.data = people_data(message)
        self.alerts: list[dict[str, Any]] = self.data["alerts"]
        self.zone: ZoneInfo = zone_of(message.time_zone)
        self.at: datetime = message.occurred_at
        self.is_test = message.type == MessageType.CHANNEL_TEST

    def text(self) -> Text:
        title, lines = self._title(), self._lines()
        values = _values_of_message(self, title) if self.message.wording else {}
        own_title, own_body = (str(self.message.wording.get(part) or "") for part in ("title", "body"))
        if own_title.strip():
            title = one_line(render_user_words(own_title, values), 1_000) or title
        if own_body.strip():
            words = render_user_words(own_body, values).splitlines()
            own = tuple(Line(_printable(words_of_line)) for words_of_line in _without_blank_edges(words))
            lines = own or lines
        return Text(
            title=title,
            lines=lines,
            links=self._links(),
            severity=str(self.data.get("severity") or "info"),
            footer=self._footer(),
            summary=self._summary(own_body=bool(own_body.strip())),
            tone=self._tone(),
            language=self.language,
            omitted=_number(self.data.get("omitted")),
        )

    # --- The whole message ---

    @property
    def counts(self) -> Mapping[str, Any]:
        counts: Mapping[str, Any] = self.data["counts"]
        return counts

    @property
    def total(self) -> int:
        return _number(self.counts.get("firing")) + _number(self.counts.get("resolved"))

    def _title(self) -> str:
        form, first = self.data.get("form"), self.alerts[0] if self.alerts else {}
        if form == "storm":
            return ngettext("%(count)s alert at once", "%(count)s alerts at once", self.total) % {
                "count": f"{self.total:,}"
            }
        if form == "digest":
            return ngettext("Digest: %(count)s alert", "Digest: %(count)s alerts", self.total) % {
                "count": f"{self.total:,}"
            }
        values = {"subject": self._subjects(first), "span": self.span_of(first)}
        if self.is_test:
            return _("Test message: %(subject)s") % values
        if form == "reminder":
            return str(_REMINDER_TITLES[severity_of(first)]) % values
        if self.data.get("status") in ("resolved", "acknowledged"):
            titles = {"resolved": _("Resolved: %(subject)s"), "acknowledged": _("Acknowledged: %(subject)s")}
            return titles[self.data["status"]] % values
        titles = _RAISED_TITLES if first.get("news") == "raised" else _FIRING_TITLES
        return str(titles.get(severity_of(first)) or _FIRING_TITLES["info"]) % values

    def _subjects(self, first: Mapping[str, Any]) -> str:
        """The first subject, and how many more there are of its state."""
        others = self.total - 1
        if self.data.get("status") == "mixed":
            others = _number(self.counts.get("firing")) - 1
        subject = subject_of(first)
        if others < 1:
            return subject
        words = ngettext("%(subject)s and %(count)s more", "%(subject)s and %(count)s more", others)
        return words % {"subject": subject, "count": f"{others:,}"}

    def _summary(self, *, own_body: bool) -> str:
        if self.is_test:
            return _("This is a test. Nothing is wrong.")
        if self.data.get("form") == "storm":
            sentence = _("They came within a minute, so they are told together, the worst first: %(counts)s.")
            return sentence % {"counts": self._counted()}
        return self._counted() if self.total > 1 and not own_body else ""

    def _counted(self) -> str:
        """ "2 critical, 1 warning, 1 resolved": what there is, by how bad it is."""
        phrases = {
            "critical": lambda count: ngettext("%(count)s critical", "%(count)s critical", count),
            "warning": lambda count: ngettext("%(count)s warning", "%(count)s warnings", count),
            "info": lambda count: ngettext("%(count)s for information", "%(count)s for information", count),
            "resolved": lambda count: ngettext("%(count)s resolved", "%(count)s resolved", count),
        }
        counted = {name: _number(self.counts.get(name)) for name in phrases}
        return ", ".join(phrases[name](count) % {"count": f"{count:,}"} for name, count in counted.items() if count)

    def _links(self) -> tuple[tuple[str, str], ...]:
        links = {"view": str(self.data.get("url") or ""), **self.message.links}
        return tuple((str(_LINK_LABELS[name]), links[name]) for name in _LINK_LABELS if links.get(name))

    def _footer(self) -> str:
        return _("Monitor Portal · %(moment)s") % {"moment": moment_words(self.at, self.zone)}

    def _tone(self) -> str:
        status = self.data.get("status")
        if status in ("resolved", "acknowledged"):
            return str(status)
        return "info" if self.is_test else str(self.data.get("severity") or "info")

    # --- One alert ---

    def _lines(self) -> tuple[Line, ...]:
        return tuple(self._line(entry) for entry in self.alerts)

    def _line(self, entry: Mapping[str, Any]) -> Line:
        return Line(
            subject=subject_of(entry),
            sentence=sentence_of(entry),
            mark=_mark(entry, is_test=self.is_test),
            tone=_tone_of(entry),
            when="" if self.is_test else self.when_of(entry),
            details=() if self.is_test else _details(entry),
            url=str(entry.get("url") or ""),
        )

    def span_of(self, entry: Mapping[str, Any]) -> str:
        started = parse_moment(entry.get("started_at"))
        until = parse_moment(entry.get("resolved_at")) or self.at
        return span_words((until - started).total_seconds()) if started else "–"

    def when_of(self, entry: Mapping[str, Any]) -> str:
        started, resolved = parse_moment(entry.get("started_at")), parse_moment(entry.get("resolved_at"))
        if started is None:
            return ""
        values = {"span": self.span_of(entry), "start": moment_words(started, self.zone)}
        if entry.get("state") == "resolved":
            return _("Over after %(span)s, at %(end)s.") % {**values, "end": self.moment_of(resolved or self.at)}
        if entry.get("news") == "reminder" or self.data.get("form") == "reminder":
            return _("Still so after %(span)s, since %(start)s.") % values
        if (self.at - started).total_seconds() < 60:
            return _("Since %(start)s.") % values
        return _("Since %(start)s (%(span)s).") % values

    def moment_of(self, moment: datetime) -> str:
        return moment_words(moment, self.zone)


def subject_of(entry: Mapping[str, Any]) -> str:
    """What it is about: a target's name, a model's with its provider's."""
    target = entry.get("target")
    name = target.get("name") if isinstance(target, Mapping) else ""
    return (
        one_line(str(Name(name, _provider_of(entry))) if name else entry.get("title") or "", SUBJECT_CHARACTERS) or "–"
    )


def _provider_of(entry: Mapping[str, Any]) -> str:
    """Of a model; "" for what is none, and in messages that were stored before providers were told."""
    target = entry.get("target")
    provider = target.get("provider") if isinstance(target, Mapping) else None
    return one_line(provider.get("name") or "", SUBJECT_CHARACTERS) if isinstance(provider, Mapping) else ""


def _tone_of(entry: Mapping[str, Any]) -> str:
    if entry.get("state") == "resolved":
        return "resolved"
    return "acknowledged" if entry.get("news") == "acknowledged" else severity_of(entry)


def _mark(entry: Mapping[str, Any], *, is_test: bool) -> str:
    tone = "test" if is_test else _tone_of(entry)
    words = {"resolved": _("Resolved"), "acknowledged": _("Acknowledged"), "test": _("Test")}
    return words.get(tone) or str(SEVERITY_WORDS[severity_of(entry)])


def _details(entry: Mapping[str, Any]) -> tuple[str, ...]:
    found = []
    if others := _others_of_provider(entry):
        found.append(others)
    if entry.get("environment"):
        found.append(_("Environment: %(name)s") % {"name": one_line(entry["environment"], 100)})
    names = _source_names(entry)
    if len(names) > 1 or entry.get("rule"):
        found.append(_("Seen by: %(names)s") % {"names": ", ".join(names or [one_line(entry["rule"], 200)])})
    if entry.get("acknowledged_by"):
        found.append(_("Acknowledged by %(name)s") % {"name": one_line(entry["acknowledged_by"], 200)})
    return tuple(found)


def _others_of_provider(entry: Mapping[str, Any]) -> str:
    """For how many more models of a provider this is told; "" for none, and in messages stored before it was said."""
    number, target = _number(entry.get("same_cause")), entry.get("target")
    if number < 1 or not isinstance(target, Mapping):
        return ""
    # A provider's own alert speaks for its models, too.
    provider = _provider_of(entry) or one_line(target.get("name") or "", SUBJECT_CHARACTERS)
    words = ngettext(
        "%(count)s more model of %(provider)s fails for the same reason",
        "%(count)s more models of %(provider)s fail for the same reason",
        number,
    )
    if target.get("kind") == "provider":
        words = ngettext(
            "%(count)s model of %(provider)s fails for the same reason",
            "%(count)s models of %(provider)s fail for the same reason",
            number,
        )
    return words % {"count": f"{number:,}", "provider": provider}


def _source_names(entry: Mapping[str, Any]) -> list[str]:
    sources = entry.get("sources")
    rows = sources if isinstance(sources, list) else []
    return [_source_name(row) for row in rows[:10] if isinstance(row, Mapping)]


def _source_name(row: Mapping[str, Any]) -> str:
    """An incident is called like its target, which the message names already."""
    return _("Incident") if row.get("kind") == "incident" else one_line(row.get("name") or row.get("kind") or "", 200)


# --- The user's own words ---------------------------------------------------------------------------------


def _values_of_message(writer: _Writer, title: str) -> dict[str, Any]:
    rows = [(entry, _values_of_alert(writer, entry)) for entry in writer.alerts]
    first = rows[0][1] if rows else {}
    return {
        **first,
        "title": title,
        "count": str(writer.total),
        "firing_count": str(_number(writer.counts.get("firing"))),
        "resolved_count": str(_number(writer.counts.get("resolved"))),
        "time": writer.moment_of(writer.at),
        "link": writer.message.links.get("view") or str(writer.data.get("url") or ""),
        "firing": [values for entry, values in rows if entry.get("state") != "resolved"],
        "resolved": [values for entry, values in rows if entry.get("state") == "resolved"],
    }


def _values_of_alert(writer: _Writer, entry: Mapping[str, Any]) -> dict[str, str]:
    target = entry.get("target")
    started = parse_moment(entry.get("started_at"))
    unit = str(entry.get("unit") or "")
    measured = {name: quantity(entry[name], unit) if entry.get(name) is not None else "" for name in ("value", "level")}
    return {
        "target": subject_of(entry),
        "provider": _provider_of(entry),
        "severity": str(SEVERITY_WORDS[severity_of(entry)]),
        "state": _("Resolved") if entry.get("state") == "resolved" else _("Firing"),
        "reason": sentence_of(entry),
        "cause": cause_words(str(entry.get("cause") or "")),
        **measured,
        "rule": one_line(entry.get("rule") or "", 200),
        "environment": one_line(entry.get("environment") or "", 100),
        "kind": one_line(target.get("kind") or "", 60) if isinstance(target, Mapping) else "",
        "since": writer.moment_of(started) if started else "",
        "duration": writer.span_of(entry),
        "acknowledged_by": one_line(entry.get("acknowledged_by") or "", 200),
        "link": str(entry.get("url") or ""),
    }


def _printable(line: str) -> str:
    """One line of the user's words, with its own spaces: they may indent."""
    return "".join(letter if letter.isprintable() or letter == "\u200d" else " " for letter in line).rstrip()


def _without_blank_edges(lines: list[str]) -> list[str]:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    while lines and not lines[0].strip():
        lines = lines[1:]
    return lines


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
