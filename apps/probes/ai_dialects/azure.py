"""Azure OpenAI: the same answers, asked of a deployment by its name, with the version of the API in the address."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from django.utils.translation import gettext_lazy as _

from apps.probes.ai.base_urls import in_path
from apps.probes.ai.chat_completions import MODELS, ChatCompletions
from apps.probes.ai.dialect import AI_DIALECTS
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.responses import RESPONSES

# The last one that is neither a preview nor the v1 path, which needs none.
DEFAULT_API_VERSION = "2024-10-21"
_API_VERSION = re.compile(r"[0-9A-Za-z.\-]{1,40}")


class Azure(ChatCompletions):
    """Both addresses Azure has: `{resource}/openai/deployments/{deployment}/…?api-version=…`, and the one without a
    deployment for a base URL that ends in `/openai/v1`. `Endpoint.model` is the name of the deployment."""

    name = "azure"
    label = _("Azure OpenAI")
    address_example = "https://example.openai.azure.com"
    address_note = _(
        "The resource, or the target URI of a deployment pasted whole; ?api-version=… may stand at its end. "
        "Its models are called by the names of their deployments."
    )
    token_limit = "max_completion_tokens"  # noqa: S105 - a name of a parameter

    def url(self, endpoint: Endpoint, path: str) -> str:
        base, _separator, query = endpoint.base_url.strip().partition("?")
        resource, _openai, rest = base.rstrip("/").partition("/openai")
        version = _version_in(query)
        if rest == "/v1" or rest.startswith("/v1/"):
            return f"{resource}/openai/v1{path}" + (f"?api-version={version}" if version else "")
        # The list belongs to the resource, everything else to a deployment; one way to ask has it in the body.
        place = "" if path in (MODELS, RESPONSES) else f"/deployments/{in_path(endpoint.model)}"
        return f"{resource.rstrip('/')}/openai{place}{path}?api-version={version or DEFAULT_API_VERSION}"

    def headers(self, endpoint: Endpoint) -> dict[str, str]:
        return {"api-key": endpoint.api_key} if endpoint.api_key else {}

    def offers(self, names: Sequence[str], model: str) -> bool:
        # The list names the models that could be deployed, not the deployments: absence says nothing.
        return True


def _version_in(query: str) -> str:
    found = parse_qs(urlsplit(f"?{query}").query).get("api-version", [""])[0]
    return found if _API_VERSION.fullmatch(found) else ""


AI_DIALECTS.add("azure", Azure())
