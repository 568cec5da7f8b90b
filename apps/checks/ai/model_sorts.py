"""What a model is for, as far as its name tells: which questions it can be asked at all. Pure."""

from __future__ import annotations

import re
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from apps.probes.reasons import Text


class ModelSort(StrEnum):
    """`other`: pictures, sound, ranking: it is on a list, and no question of ours suits it."""

    CHAT = "chat"
    EMBEDDING = "embedding"
    OTHER = "other"

    @property
    def label(self) -> Text:
        return _LABELS[self]


_LABELS: dict[ModelSort, Text] = {
    ModelSort.CHAT: _("Text"),
    ModelSort.EMBEDDING: _("Embeddings"),
    ModelSort.OTHER: _("Other"),
}

# Words of names, as vendors and the makers of open models use them.
_EMBEDDING = re.compile(r"embed|(?<![a-z])(?:bge|gte|e5|minilm|voyage|text-similarity|text-search)(?![a-z])")
_OTHER = re.compile(
    r"whisper|transcri|(?<![a-z])(?:tts|asr|stt)(?![a-z])|dall-e|(?<![a-z])(?:imagen|veo|sora|lyria|flux|sdxl)(?![a-z])"
    r"|image|stable-diffusion|moderation|rerank|speech|audio|realtime|(?<![a-z])(?:babbage|davinci)(?![a-z])"
)


def sort_of(name: str) -> ModelSort:
    """What a model of this name is for. A name that says nothing is one that writes, like most."""
    lowered = name.lower()
    if "rerank" not in lowered and _EMBEDDING.search(lowered):
        return ModelSort.EMBEDDING
    return ModelSort.OTHER if _OTHER.search(lowered) else ModelSort.CHAT
