"""The base of every REST view: paging, strict filters and bodies, chosen fields, and errors a person can act on."""

from __future__ import annotations

from apps.core.api.errors import exception_handler
from apps.core.api.filtering import StrictFilterBackend
from apps.core.api.pagination import CursorPagination
from apps.core.api.parsing import BoundedJSONParser
from apps.core.api.serializers import PortalSerializer
from apps.core.api.viewsets import PortalViewSet, ReadOnlyPortalViewSet

__all__ = [
    "BoundedJSONParser",
    "CursorPagination",
    "PortalSerializer",
    "PortalViewSet",
    "ReadOnlyPortalViewSet",
    "StrictFilterBackend",
    "exception_handler",
]
