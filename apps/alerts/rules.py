"""The judgement of rules. Pure."""

from __future__ import annotations

from collections.abc import Mapping

# How long people are spared a level, unless a rule says otherwise.
DEFAULT_FOR_SECONDS: Mapping[str, int] = {"critical": 0, "warning": 900, "info": 0}
