"""What every answer passes through: outages said plainly, compression, and the admin's own content policy."""

from __future__ import annotations

from typing import Any

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.deprecation import MiddlewareMixin

from apps.core.outages import outage_response


class DependencyOutageMiddleware(MiddlewareMixin):
    """A view that lost the database or Valkey answers 503 with Retry-After. Middlewares: see `outages.error_page`."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return outage_response(request, exception)


class CompressionMiddleware(GZipMiddleware):
    """Compress our answers, with Django's random padding against BREACH; an event stream must leave at once."""

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        if response.get("Content-Type", "").startswith("text/event-stream"):
            return response
        return super().process_response(request, response)


# unfold evaluates Alpine expressions and styles elements inline. Only staff ever get such a page.
_ADMIN_POLICY = {
    "script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "font-src": [SELF, "data:"],
    "object-src": [NONE],
}


class AdminPolicyMiddleware(MiddlewareMixin):
    """Relax the content policy under /admin/, for staff only; stands inside CSPMiddleware, which writes the header."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path.startswith("/admin/") and getattr(getattr(request, "user", None), "is_staff", False):
            response._csp_replace = _ADMIN_POLICY  # type: ignore[attr-defined]
        return response
