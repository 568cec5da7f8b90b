"""Reading a value out of a JSON answer by a path a person wrote: `status`, `items[0].name`, `$.items[?@.ok==true].id`.

Plain dotted paths are walked directly; everything else is RFC 9535 JSONPath, without its regular expressions (they are
Python's, which a pattern can keep busy for ever) and within bounds that keep the work linear in the document.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from jsonpath import JSONPathEnvironment
from jsonpath.exceptions import JSONPathError

MAX_PATH = 200
_MAX_SEGMENTS = 20
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_PLAIN = re.compile(r"[\w-]+(\[\d{1,6}\])*(\.[\w-]+(\[\d{1,6}\])*)*|(\[\d{1,6}\])+(\.[\w-]+(\[\d{1,6}\])*)*")
_STEP = re.compile(r"\[(\d+)\]|([\w-]+)")


class _Missing:
    """There is nothing at the path: not the same as null."""

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING = _Missing()
Reader = Callable[[Any], Any]


class BadPath(ValueError):
    """A path cannot be read; `sentence` says what would be right."""

    def __init__(self, sentence: str | Promise) -> None:
        self.sentence = sentence
        super().__init__(str(sentence))


class _Environment(JSONPathEnvironment):
    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        for name in ("match", "search"):
            self.function_extensions.pop(name, None)


_ENVIRONMENT = _Environment(strict=True)


@lru_cache(maxsize=2_048)
def reader(path: str) -> Reader:
    """A function from a decoded document to the first value at `path`, or MISSING. Raises BadPath."""
    if len(path) > MAX_PATH:
        raise BadPath(_("A path has at most %(limit)s characters.") % {"limit": MAX_PATH})
    if _PLAIN.fullmatch(path):
        return _walker(path)
    return _query(path)


def _walker(path: str) -> Reader:
    steps = [int(index) if index else name for index, name in _STEP.findall(path)]

    def read(document: Any) -> Any:
        value = document
        for step in steps:
            value = _step(value, step)
        return value

    return read


def _step(value: Any, step: int | str) -> Any:
    if isinstance(value, dict):
        return value.get(str(step), MISSING)
    if isinstance(value, list) and str(step).isdigit():
        return value[int(step)] if int(step) < len(value) else MISSING
    return MISSING


def _query(path: str) -> Reader:
    full = path if path.startswith("$") else f"${path}" if path.startswith("[") else f"$.{path}"
    _refuse_costly(full)
    try:
        compiled = _ENVIRONMENT.compile(full)
    except (JSONPathError, ValueError, RecursionError) as error:
        problem = str(error).splitlines()[0] if str(error) else "syntax"
        raise BadPath(
            _("This is not a valid JSON path: %(problem)s. Write, for example, json.items[0].status.")
            % {"problem": problem[:150]}
        ) from None
    if "," in _QUOTED.sub("", full):
        # Each such list multiplies the work of all before it.
        raise BadPath(_("A JSON path selects one thing at a time: leave out the “,” inside “[ ]”."))

    def read(document: Any) -> Any:
        try:
            for match in compiled.finditer(document):
                return match.value
        except (JSONPathError, RecursionError):
            return MISSING
        return MISSING

    return read


def _refuse_costly(path: str) -> None:
    """One descent into everything, or filters, but not both, and no filter that starts over from the root."""
    filters = path.count("?")
    too_much = (
        path.count("..") > 1
        or (filters and ".." in path)
        or (filters and "$" in path[1:])
        or len(re.findall(r"[.\[]", path)) > _MAX_SEGMENTS
    )
    if too_much:
        raise BadPath(_("This JSON path is too costly: use one “..”, or filters without “..” and “$” inside."))
