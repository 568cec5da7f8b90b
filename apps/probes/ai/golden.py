"""Golden prompts to begin with: small, cheap, and answered well by every model worth watching."""

from __future__ import annotations

from typing import Any

import msgspec
from django.utils.translation import gettext as _

from apps.probes.ai.canary import Prompt


def first_prompts() -> list[dict[str, Any]]:
    """As a config holds them, named in the active language. Whoever has better ones edits the check."""
    prompts = (
        Prompt(
            name=_("Sum"),
            prompt="What is 17 + 25? Answer with the number in digits and nothing else.",
            assertion="regex",
            expected=r"^\s*42\.?\s*$",
            max_output_tokens=64,
        ),
        Prompt(
            name=_("Following an instruction"),
            prompt="Answer with exactly this word in capital letters and nothing else: harbour",
            assertion="regex",
            expected=r"^\s*HARBOUR\.?\s*$",
            max_output_tokens=64,
        ),
        Prompt(
            name=_("Reading"),
            prompt=(
                "The red box holds three keys, the blue box holds seven. Tom takes two keys out of the blue box. "
                "How many keys does the blue box hold now? Answer with the number in digits and nothing else."
            ),
            assertion="regex",
            expected=r"^\s*5\.?\s*$",
            max_output_tokens=64,
        ),
        Prompt(
            name=_("JSON"),
            prompt=(
                "Return a JSON object with the keys city (a string) and population (a whole number) for Paris. "
                "Return the object only."
            ),
            assertion="json_schema",
            expected=(
                '{"type": "object", "required": ["city", "population"], '
                '"properties": {"city": {"type": "string"}, "population": {"type": "integer"}}}'
            ),
            max_output_tokens=128,
        ),
    )
    return [
        {name: value for name, value in msgspec.to_builtins(prompt).items() if value not in ("", None)}
        for prompt in prompts
    ]
