"""Why a status page says nothing to us. Never a verdict on the vendor: an unreadable page is "unknown"."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class PageProblem(StrEnum):
    """Codes are stored and sent: never rename one."""

    NO_ANSWER = "no_answer"
    STATUS = "status"
    REDIRECTED = "redirected"
    EMPTY = "empty"
    HTML = "html"
    GARBAGE = "garbage"
    UNKNOWN_SHAPE = "unknown_shape"
    DANGEROUS = "dangerous"
    NOT_UPDATED = "not_updated"
    COMPONENT_MISSING = "component_missing"
    # Of the portal, not of the page.
    NOT_READ_YET = "not_read_yet"
    NOT_READ_LATELY = "not_read_lately"


# Each is the end of "The vendor's status page cannot be read: …".
_WORDS: dict[PageProblem, str | Promise] = {
    PageProblem.NO_ANSWER: _("it could not be fetched (%(cause)s)"),
    PageProblem.STATUS: _("its server answered with status %(actual)s"),
    PageProblem.REDIRECTED: _(
        "it sends us on to another host, %(location)s; if that is the vendor's, enter it instead"
    ),
    PageProblem.EMPTY: _("the answer was empty"),
    PageProblem.HTML: _("a web page came where data was expected; the vendor may have moved it"),
    PageProblem.GARBAGE: _("the answer is neither JSON nor a feed"),
    PageProblem.UNKNOWN_SHAPE: _("the answer is in no format this portal knows"),
    PageProblem.DANGEROUS: _("the answer goes beyond what is safe to read (%(actual)s)"),
    PageProblem.NOT_UPDATED: _("nobody has updated it for %(actual)s days; at most %(expected)s are allowed"),
    PageProblem.COMPONENT_MISSING: _("it has no component called %(expected)s any more"),
    PageProblem.NOT_READ_YET: _("it was not read yet"),
    PageProblem.NOT_READ_LATELY: _("this portal has not read it lately"),
}


def problem_words(values: Mapping[str, Any]) -> str:
    """What is wrong, in the active language, from an outcome's evidence; its `detail` when the code is a newer one."""
    try:
        template = str(_WORDS[PageProblem(str(values.get("problem", "")))])
        return template % values
    except (ValueError, KeyError):
        return str(values.get("detail", ""))


class UnreadablePage(Exception):
    """A page that cannot be read. `evidence` holds what the words need; nothing of the page's own text."""

    def __init__(self, problem: PageProblem, **evidence: Any) -> None:
        self.problem = problem
        self.evidence: dict[str, Any] = evidence
        super().__init__(problem.value)
