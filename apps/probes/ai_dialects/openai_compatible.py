"""Any server that speaks chat completions: vLLM, llama.cpp, LiteLLM, OpenRouter, Groq, Mistral and many more."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.probes.ai.chat_completions import ChatCompletions
from apps.probes.ai.dialect import AI_DIALECTS
from apps.probes.ai.openai_models import effort_of

# Models of others that think before they answer, whatever they are told.
_THINKERS = re.compile(r"(?:^|[-/_.:])(?:r1|reasoner|reasoning|thinking|qwq|magistral)(?:$|[-/_.:])", re.IGNORECASE)
_THINKING_TOKENS = 1_024


class OpenAiCompatible(ChatCompletions):
    """OpenAI's protocol as others speak it: the old name of the token limit, and no parameter that only OpenAI has.

    A model that is OpenAI's by its name, behind a gateway, is told to reason as little as there.
    """

    name = "openai_compatible"
    label = _("OpenAI-compatible")
    needs_key = False
    # Without a version in any of its paths.
    bare_hosts = ("api.perplexity.ai",)

    def reasoning(self, model: str) -> dict[str, Any]:
        effort = effort_of(model)
        return {"reasoning_effort": effort.sent} if effort is not None and effort.sent else {}

    def reasoning_allowance(self, model: str) -> int:
        effort = effort_of(model)
        if effort is not None:
            return effort.tokens
        return _THINKING_TOKENS if _THINKERS.search(model) else 0

    def takes_temperature(self, model: str) -> bool:
        effort = effort_of(model)
        return effort is None or model.rpartition("/")[2].startswith("gpt-oss")


AI_DIALECTS.add("openai_compatible", OpenAiCompatible())
