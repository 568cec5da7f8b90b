"""The probe engine: one a process, fed with jobs, handing outcomes over as they finish."""

from __future__ import annotations

from apps.probes.engine.engine import Engine, Health

__all__ = ["Engine", "Health"]
