"""The reconstructed documents, and the moment they speak of."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apps.probes.vendor_pages.finding import read_page
from apps.probes.vendor_pages.reading import PageReading

FOLDER = Path(__file__).parent / "recorded"
NOW = datetime(2026, 11, 21, 14, 15, tzinfo=UTC)
NAMES = sorted(file.name for file in FOLDER.iterdir() if file.suffix in {".json", ".rss", ".atom"})


def body_of(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def document_of(name: str) -> Any:
    return json.loads(body_of(name))


def reading_of(name: str) -> PageReading:
    return read_page(body_of(name), NOW)[1]
