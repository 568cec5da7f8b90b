"""The base of every REST view: paging, strict filters and bodies, chosen fields, and errors a person can act on.

Names are looked up when first used (PEP 562): DRF reads its settings, which name classes of this package, while its
own views are still being imported, so importing everything here would go in circles.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
_MODULES = {
    "BoundedJSONParser": "parsing",
    "CursorPagination": "pagination",
    "PortalSerializer": "serializers",
    "PortalViewSet": "viewsets",
    "ReadOnlyPortalViewSet": "viewsets",
    "StrictFilterBackend": "filtering",
    "exception_handler": "errors",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
