"""Where an API's paths begin, out of what people paste: with and without the version, with a slash or a whole path."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

_VERSION = re.compile(r"v\d+(?:(?:alpha|beta)\d*)?", re.IGNORECASE)


def with_version(base_url: str, version: str, *, endings: Sequence[str] = (), bare_hosts: Sequence[str] = ()) -> str:
    """`base_url` up to and with its version: `version` is added where no path says anything at all.

    `endings` are the paths people paste along ("/chat/completions"), and are cut off. A path without a version is taken
    as it is, since that is where a gateway has it; so is a host that has no version at all (`bare_hosts`).
    """
    base = without_endings(base_url, endings)
    parts = urlsplit(base)
    return base if parts.path.strip("/") or parts.hostname in bare_hosts else f"{base}/{version}"


def without_version(base_url: str, *, endings: Sequence[str] = ()) -> str:
    """`base_url` without a version at its end, for APIs whose paths all begin with one."""
    base = without_endings(base_url, endings)
    root, _slash, last = base.rpartition("/")
    return root if _VERSION.fullmatch(last) and urlsplit(base).path.strip("/") else base


def without_endings(base_url: str, endings: Sequence[str]) -> str:
    """`base_url` without query, fragment, slashes at its end and the longest of `endings`."""
    base = re.split(r"[?#]", base_url.strip(), maxsplit=1)[0].rstrip("/")
    for ending in sorted(endings, key=len, reverse=True):
        if base.endswith(ending):
            return base.removesuffix(ending).rstrip("/")
    return base


def in_path(name: str) -> str:
    """A model's name as one step of a path: no slash, query or step upwards comes out of it."""
    quoted = quote(name, safe="")
    return quoted.replace(".", "%2E") if not quoted.strip(".") else quoted
