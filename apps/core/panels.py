"""Panels: the parts of a page that are drawn, refreshed and fail each on their own.

A page draws its panels for the first paint; the same template answers at `<page>fragments/<name>/` when something
changed. On the first paint a panel that fails shows its error and a way to retry, and the others stay. A refresh that
fails is an error answer: the browser keeps what it shows and says that it is old.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.http.request import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

logger = structlog.get_logger(__name__)

Load = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Panel:
    """One part: `load(request, *subject)` gives the context of `template`.

    `news` are the event types it follows ("summary,incident"; "" for none), `hold` whether its rows may change places
    (then it waits while the pointer is over it). `every` asks again after so many seconds while the page is seen, for
    figures that no event announces; 0 for never.
    """

    name: str
    template: str
    load: Load
    news: str = ""
    hold: bool = False
    every: int = 0

    @property
    def uid(self) -> str:
        return f"panel-{self.name}"


@dataclass(frozen=True)
class Drawn:
    """A panel as HTML with what keeps it up to date: `{% include "components/panel.html" with panel=… %}`."""

    panel: Panel
    url: str
    html: SafeString
    ids: str = ""

    def render(self, _context: Any) -> SafeString:
        """So that it can be included like a template."""
        return self.html


def draw_all(
    request: HttpRequest, panels: Iterable[Panel], page_url: str, *subject: Any, ids: Iterable[object] = ()
) -> dict[str, Drawn]:
    """Every panel of a page by name; one that fails is drawn as its error. `ids`: follow only events about these."""
    about = " ".join(str(identifier) for identifier in ids)
    return {
        panel.name: Drawn(panel, url_of(panel, page_url), _draw_safely(request, panel, *subject), about)
        for panel in panels
    }


def _draw_safely(request: HttpRequest, panel: Panel, *subject: Any) -> SafeString:
    try:
        return draw(request, panel, *subject)
    except (Http404, PermissionDenied):
        raise
    except Exception:
        # Whatever went wrong in one panel must not take the others from somebody who is on call.
        logger.exception("panel_failed", panel=panel.name, path=request.path)
        return render_to_string("components/fragment_error.html", {}, request)


def draw(request: HttpRequest, panel: Panel, *subject: Any) -> SafeString:
    """The panel's inner HTML. Raises whatever its `load` raises."""
    html = render_to_string(panel.template, {"panel": panel, **panel.load(request, *subject)}, request)
    # A panel with nothing to say is empty, so that a style sheet can give it no room.
    return SafeString(html.strip())


def answer(request: HttpRequest, panels: Iterable[Panel], name: str, *subject: Any) -> HttpResponse:
    """A refresh of one panel. Raises Http404 for a name the page has not."""
    panel = next((panel for panel in panels if panel.name == name), None)
    if panel is None:
        raise Http404
    return HttpResponse(draw(request, panel, *subject))


def url_of(panel: Panel, page_url: str) -> str:
    """Where the panel refreshes from, for the page at `page_url`, whose query is kept."""
    path, mark, query = page_url.partition("?")
    return f"{path}fragments/{panel.name}/{mark}{query}"
