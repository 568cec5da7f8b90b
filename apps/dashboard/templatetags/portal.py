"""The tags and filters of every page; a builtin of the template engine, so that no template loads it.

Components are fragments in `templates/components/`; a tag exists only where something must be computed first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from django import template
from django.forms import BoundField, Select
from django.template.loader import get_template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString

from apps.checks import reasons
from apps.core import clock, money
from apps.dashboard import drawings, evidence_view, formatting, moments, statuses, words

register = template.Library()

register.filter("duration", formatting.duration)
register.filter("span", formatting.span)
register.filter("percent", formatting.percent)
register.filter("count", formatting.count)
register.filter("number", formatting.number)
register.filter("byte_size", formatting.byte_size)
register.filter("per_second", formatting.per_second)
register.filter("dollars", money.dollars)
register.filter("dollars_to_the_cent", money.dollars_to_the_cent)
register.filter("tokens_per_second", formatting.tokens_per_second)
register.filter("offset", formatting.offset)
register.filter("offset_span", formatting.offset_span)


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """A drawing beside a word, silent for screen readers. `size`: "small" or "large"."""
    classes = f"icon icon-{size}" if size else "icon"
    source = f"{static('icons/sprite.svg')}#{name}"
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}"/></svg>',
        classes,
        source,
    )


@register.inclusion_tag("components/status.html")
def status(value: Any, style: str = "", since: datetime | None = None) -> dict[str, Any]:
    """Shape and word. `style`: "" inline, "badge" on a soft ground, "shape" with the word for screen readers only."""
    return {"look": statuses.look_of(value), "style": style, "since": since}


@register.simple_tag
def status_word(value: Any) -> str:
    return statuses.look_of(value).word


@register.simple_tag
def status_token(value: Any) -> str:
    """The colour token of a status: ok, warn, bad, mute or info."""
    return statuses.look_of(value).token


@register.inclusion_tag("components/status_bar.html")
def status_bar(counts: Mapping[str, int], label: str, url: str = "", active: str = "", small: bool = False) -> Any:
    """Counts by status to scale. With `url` each segment links to it with `?status=`; `active` is the one in force."""
    shares = statuses.shares_of(counts)
    return {
        "shares": shares,
        "total": sum(share.count for share in shares),
        "label": label,
        "url": url,
        "active": active,
        "small": small,
    }


@register.inclusion_tag("components/history_bar.html")
def history_bar(segments: Iterable[Any], label: str, small: bool = False) -> dict[str, Any]:
    """Segments with `start`, `end`, `status` (see `checks.uptime.Segment`), drawn to the scale of time."""
    return {"history": drawings.history(segments), "label": label, "small": small}


@register.inclusion_tag("components/sparkline.html")
def sparkline(values: Sequence[float | None], label: str, unit: str = "ms", status: Any = "") -> dict[str, Any]:
    """A line of values without axes, with its last, lowest and highest value in words."""
    drawn = drawings.sparkline(list(values))
    show = formatting.duration if unit == "ms" else formatting.number
    return {
        "line": drawn,
        "label": label,
        "last": show(drawn.last),
        "low": show(drawn.low),
        "high": show(drawn.high),
        "token": statuses.look_of(status).token if status else "",
    }


@register.inclusion_tag("components/time.html")
def relative_time(moment: datetime | None, prefix: str = "", plain: bool = False) -> dict[str, Any]:
    """How long ago; the absolute time on hover and focus. `plain` leaves it out of the tab order (dense tables)."""
    if moment is None:
        return {"moment": None}
    return {
        "moment": moment,
        "iso": moment.astimezone(timezone.get_default_timezone()).isoformat(timespec="milliseconds"),
        "relative": moments.relative(moment),
        "absolute": moments.absolute(moment),
        "prefix": prefix,
        "plain": plain,
    }


@register.filter
def absolute_time(moment: datetime | None) -> str:
    return moments.absolute(moment) if moment else formatting.ABSENT


@register.filter
def iso_time(moment: datetime | None) -> str:
    return moment.isoformat(timespec="milliseconds") if moment else ""


@register.filter
def clock_time(moment: datetime) -> str:
    return moments.clock_time(moment)


@register.filter
def by_minute(entries: Iterable[Any]) -> list[dict[str, Any]]:
    """Entries with `at` (objects or mappings), grouped by their minute, in the order they came.

    `day` is set on the first group of a day that is not today.
    """

    def minute(entry: Any) -> datetime:
        at: datetime = entry["at"] if isinstance(entry, Mapping) else entry.at
        return at.replace(second=0, microsecond=0)

    groups, previous = [], timezone.localdate(clock.now())
    for at, group in groupby(entries, key=minute):
        date = timezone.localdate(at)
        groups.append({"at": at, "entries": list(group), "day": moments.day(at) if date != previous else ""})
        previous = date
    return groups


@register.simple_tag
def reason_sentence(reason: str, evidence: Mapping[str, Any] | None = None) -> str:
    """Why, as a sentence in the reader's language, from the code and the values that were seen."""
    return reasons.sentence(str(reason), dict(evidence or {}))


@register.inclusion_tag("components/evidence.html")
def evidence(
    values: Any, measurements: Any = None, duration_ms: float | None = None, uid: str = "evidence"
) -> dict[str, Any]:
    """What a look saw, laid out. `uid` must be unique on the page when there are several."""
    return {"view": evidence_view.view_of(values, measurements, duration_ms), "uid": uid}


@register.inclusion_tag("components/table_header.html", takes_context=True)
def table_header(
    context: template.Context,
    label: Any,
    column: str = "",
    sort: str | None = None,
    numeric: bool = False,
    fit: bool = False,
    hidden: bool = False,
    extra: str = "",
) -> dict[str, Any]:
    """A column's head. With `sort` (the order in force: "key" or "-key") it is a link that sorts by `column`:
    ascending, then descending, then as the list is by itself. Needs `request` in the context. `extra`: more classes."""
    directions = {column: ("ascending", f"-{column}"), f"-{column}": ("descending", None)}
    direction, following = directions.get(sort or "", ("", column)) if column else ("", None)
    url = ""
    if column and sort is not None:
        query = context["request"].GET.copy()
        query.pop("cursor", None)
        query.pop("sort", None)
        if following:
            query["sort"] = following
        url = f"?{query.urlencode()}"
    classes = " ".join(name for name, wanted in (("num", numeric), ("fit", fit), (extra, extra)) if wanted)
    return {
        "label": label,
        "column": column,
        "url": url,
        "direction": direction,
        "classes": classes,
        "hidden": hidden,
    }


@register.inclusion_tag("components/middle.html")
def middle(text: Any, tail: int = 12) -> dict[str, Any]:
    """A text that loses its middle when there is no room, with the whole on hover and focus."""
    whole = str(text)
    short = len(whole) <= 2 * tail
    return {"whole": whole, "short": short, "head": whole[:-tail], "tail": whole[-tail:]}


@register.inclusion_tag("components/form_row.html")
def form_row(field: BoundField, unit: str = "", wide: bool = False) -> dict[str, Any]:
    """A field of a Django form: label, control with its unit, help and errors, tied together for screen readers."""
    widget = field.field.widget
    return {
        "field": field,
        "unit": unit or getattr(field.field, "unit", ""),
        "wide": wide,
        # Several boxes are a set with a legend.
        "is_checkbox": getattr(widget, "input_type", "") == "checkbox" and not widget.use_fieldset,
        # A list of choices always holds one: there is nothing to leave out.
        "optional": not (
            field.field.required or getattr(field.field, "is_expected", False) or isinstance(widget, Select)
        ),
    }


@register.simple_tag
def status_shape(value: Any) -> SafeString:
    """Only the shape, coloured by the `tone-…` class around it; a word must stand beside it."""
    look = statuses.look_of(value)
    drawn = get_template(look.shape).render()
    return format_html('{}<span class="visually-hidden">{}</span>', drawn, look.word)


@register.filter
def unlocalized(value: float) -> str:
    """A number for SVG geometry: a point before its decimals in every language."""
    return f"{value:g}"


@register.filter
def budget_tone(word: str) -> str:
    """How far a budget has come (`spending.standing.BudgetWord`), as a colour token; "" without a cap."""
    return {"ok": "ok", "warned": "warn", "spent": "bad"}.get(word, "")


@register.filter
def per_cent(share: float | None) -> str:
    """A share 0..1 as a number 0 to 100 for SVG geometry; what is more is cut."""
    return f"{100 * min(1.0, max(0.0, float(share or 0))):.2f}"


@register.simple_tag
def script_words() -> SafeString:
    """The words of our scripts as a JSON data block."""
    return json_script(words.script_words(), "portal-words")


@register.filter
def get(mapping: Mapping[str, Any], key: str) -> Any:
    """`mapping[key]` for a key that is a variable; None when it is missing."""
    return mapping.get(key)
