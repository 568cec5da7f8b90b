"""OpenAI's own API: chat completions, by its names of today."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.probes.ai.chat_completions import ChatCompletions
from apps.probes.ai.dialect import AI_DIALECTS
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.openai_models import needs_responses


class OpenAi(ChatCompletions):
    """`max_completion_tokens` counts what is reasoned, too; its reasoning models know no other name."""

    name = "openai"
    label = _("OpenAI")
    default_base_url = "https://api.openai.com/v1"
    status_page = "https://status.openai.com"
    token_limit = "max_completion_tokens"  # noqa: S105 - a name of a parameter

    def asks_for_responses(self, endpoint: Endpoint) -> bool:
        return needs_responses(endpoint.model) or super().asks_for_responses(endpoint)


AI_DIALECTS.add("openai", OpenAi())
