"""Any server that speaks chat completions: vLLM, llama.cpp, LiteLLM, OpenRouter, Groq, Mistral and many more."""

from __future__ import annotations

import re

from django.utils.translation import gettext_lazy as _

from apps.probes.ai.chat_completions import ChatCompletions
from apps.probes.ai.dialect import AI_DIALECTS

# Models of others that think before they answer, whatever they are told.
_THINKERS = re.compile(r"(?:^|[-/_.:])(?:r1|reasoner|reasoning|thinking|qwq|magistral)(?:$|[-/_.:])", re.IGNORECASE)
_THINKING_TOKENS = 1_024


class OpenAiCompatible(ChatCompletions):
    """OpenAI's protocol as others speak it: the old name of the token limit, and no parameter that only OpenAI has."""

    name = "openai_compatible"
    label = _("OpenAI-compatible")
    address_example = "http://host:8000/v1"
    address_note = _("Where its API begins. A /v1 at the end is added when no path is given.")
    needs_key = False
    # Without a version in any of its paths.
    bare_hosts = ("api.perplexity.ai",)

    def reasoning_allowance(self, model: str) -> int:
        return super().reasoning_allowance(model) or (_THINKING_TOKENS if _THINKERS.search(model) else 0)


AI_DIALECTS.add("openai_compatible", OpenAiCompatible())
