"""The words our scripts say. They are translated here, put into the page once, and read by `static/js/words.js`."""

from __future__ import annotations

from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _


def script_words() -> dict[str, str]:
    """Every text a script may show, in the active language; `%(name)s` stays for the script to fill in."""
    return {"language": get_language() or "en"} | _times() | _live() | _actions() | _charts() | _conditions()


def _times() -> dict[str, str]:
    """The same messages as `formatting` and `moments`, so that a ticking time reads as the server wrote it."""
    return {
        "just_now": _("just now"),
        "ago": _("%(span)s ago"),
        "in": _("in %(span)s"),
        "milliseconds": _("%(number)s ms"),
        "seconds_measured": _("%(number)s s"),
        "days_hours": _("%(days)s d %(hours)s h"),
        "days": _("%(days)s d"),
        "hours_minutes": _("%(hours)s h %(minutes)s min"),
        "hours": _("%(hours)s h"),
        "minutes_seconds": _("%(minutes)s min %(seconds)s s"),
        "minutes": _("%(minutes)s min"),
        "seconds": _("%(seconds)s s"),
    }


def _live() -> dict[str, str]:
    return {
        "connecting": _("Connecting"),
        "live": _("Live"),
        "live_age": _("Live · %(age)s"),
        "reconnecting": _("Reconnecting"),
        "polling": _("Polling every %(span)s"),
        "offline": _("Offline"),
        "updated": _("Updated %(age)s"),
        "refresh_failed": _("This part could not be refreshed. What you see may be old."),
        "signed_out": _("You were signed out. Copy what you typed, then sign in again."),
        "new_outage": _("New outage: %(names)s"),
        "back": _("Operational again: %(names)s"),
    }


def _actions() -> dict[str, str]:
    return {
        "copied": _("Copied"),
        "copy_failed": _("Copying is not allowed here. Select the text and copy it by hand."),
        "request_failed": _("That did not work: the portal answered with status %(status)s. Try again."),
        "request_unreachable": _("The portal cannot be reached. Check the network, then try again."),
        "selected": _("%(number)s selected"),
        "exact_times": _("Showing exact times."),
        "relative_times": _("Showing relative times."),
    }


def _charts() -> dict[str, str]:
    return {
        "chart_empty": _("Nothing was measured in this period."),
        "chart_last": _("Last"),
        "chart_minimum": _("Min"),
        "chart_average": _("Avg"),
        "chart_maximum": _("Max"),
        "chart_time": _("Time"),
        "chart_gap": _("not measured"),
        "dollars": pgettext("US dollars", "$%(number)s"),
    }


def _conditions() -> dict[str, str]:
    return {
        "condition_field": _("Field"),
        "condition_operator": _("Operator"),
        "condition_value": _("Value"),
        "condition_name": _("Name"),
        "condition_remove": _("Remove condition %(number)s"),
        "condition_removed": _("Condition removed."),
        "condition_added": _("Condition %(number)s added."),
        "condition_invalid": _("This is not a list of conditions in JSON. Mend it, or empty it to start again."),
    }
