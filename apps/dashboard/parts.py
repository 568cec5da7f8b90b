"""The verdict on one part of the portal, as `/readyz`, the overview and Settings → Health show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NOT_READ = _("Not known while the database does not answer.")


@dataclass(frozen=True)
class Part:
    """The verdict, with a sentence for a person and, where it has one, an age in seconds."""

    ok: bool
    detail: str | Promise
    age_seconds: float | None = None

    def as_json(self) -> dict[str, Any]:
        age = None if self.age_seconds is None else round(self.age_seconds, 1)
        return {"ok": self.ok, "detail": str(self.detail), "age_seconds": age}
