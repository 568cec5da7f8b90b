"""What an answer looks like when something the portal stands on is gone, or a body is too large: plain, no traceback.

These answers are made without the database, the cache or a context processor, because those may be what is gone.
"""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy
from django.views.defaults import server_error
from django_redis.exceptions import ConnectionInterrupted
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import ConnectionError as ValkeyConnectionError
from redis.exceptions import TimeoutError as ValkeyTimeoutError

logger = structlog.get_logger(__name__)

RETRY_AFTER_SECONDS = 5
_DATABASE = (OperationalError, InterfaceError)
VALKEY_ERRORS = (ValkeyConnectionError, ValkeyTimeoutError, ConnectionInterrupted, BrokerError)

_TITLES: dict[int, Any] = {
    400: gettext_lazy("The request cannot be read"),
    403: gettext_lazy("This is not open to you"),
    404: gettext_lazy("There is nothing here"),
    413: gettext_lazy("Too large"),
    503: gettext_lazy("Not available at the moment"),
}


def outage_sentence(error: BaseException | None) -> str:
    """What is gone, as a sentence for a person; "" when `error` is something else."""
    if isinstance(error, _DATABASE):
        return gettext("The database cannot be reached at the moment. The portal goes on by itself when it is back.")
    if isinstance(error, VALKEY_ERRORS):
        return gettext(
            "The message store cannot be reached at the moment. The portal goes on by itself when it is back."
        )
    return ""


def outage_response(request: HttpRequest, error: BaseException) -> HttpResponse | None:
    """503 for a page or an API call when `error` means that a dependency is gone, else None."""
    sentence = outage_sentence(error)
    if not sentence:
        return None
    logger.warning("dependency_outage", path=request.path, error=f"{type(error).__name__}: {error}")
    response = plain_answer(request.path, 503, sentence, nonce=str(getattr(request, "csp_nonce", "")))
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def plain_answer(path: str, status: int, sentence: str, *, nonce: str = "") -> HttpResponse:
    """JSON `{"detail"}` under /api/, else the page `errors/<status>.html`, else a bare page."""
    if path.startswith("/api/"):
        return JsonResponse({"detail": sentence}, status=status)
    context = {
        "title": _TITLES.get(status, HTTPStatus(status).phrase),
        "sentence": sentence,
        "retry_after": RETRY_AFTER_SECONDS,
        "csp_nonce": nonce,
    }
    try:
        page = render_to_string(f"errors/{status}.html", context)
    except (TemplateDoesNotExist, TemplateSyntaxError, ImproperlyConfigured, ValueError):
        # The last line of defence: a missing template or static manifest must not turn this into a traceback.
        page = format_html(
            '<!doctype html><meta charset="utf-8"><title>{title}</title><h1>{title}</h1><p>{sentence}</p>',
            title=context["title"],
            sentence=sentence,
        )
    response = HttpResponse(page, status=status)
    response["Cache-Control"] = "no-store"
    return response


def refusal_page(request: HttpRequest, exception: Exception, *, status: int) -> HttpResponse:
    """The project's handler400, handler403 and handler404."""
    return plain_answer(request.path, status, str(_TITLES[status]))


def error_page(request: HttpRequest) -> HttpResponse:
    """The project's handler500. Middleware failures reach only this, so it must know an outage when it sees one."""
    error = sys.exc_info()[1]
    answer = outage_response(request, error) if error is not None else None
    if answer is not None:
        return answer
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": gettext("The portal failed to answer; its log says why.")}, status=500)
    return server_error(request, template_name="errors/500.html")
