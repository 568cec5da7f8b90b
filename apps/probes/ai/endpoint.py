"""Where a model is asked: filled in from the provider and the model when a look is sent out."""

from __future__ import annotations

from typing import Annotated

import msgspec

from apps.core.kindconfig import SECRET


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One model of one provider. `base_url` has no slash at its end; `model` is the id the provider knows it by."""

    dialect: str = "openai_compatible"
    base_url: str = ""
    api_key: Annotated[str, SECRET] = ""
    model: str = ""
    verify_tls: bool = True

    def __repr__(self) -> str:
        return f"Endpoint(dialect={self.dialect!r}, model={self.model!r})"
