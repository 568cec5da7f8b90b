"""Strings in Python: every call of a Django gettext function, under whatever name the module imported it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.translation.message import Message

# The second has a `gettext_noop` of its own, for modules that are read where there are no settings.
_MODULES = frozenset({"django.utils.translation", "apps.core.details"})
# Which arguments are the context, the text and the plural; None where the function has no such argument.
_ARGUMENTS: dict[str, tuple[int | None, int, int | None]] = {
    "gettext": (None, 0, None),
    "gettext_lazy": (None, 0, None),
    "gettext_noop": (None, 0, None),
    "ngettext": (None, 0, 1),
    "ngettext_lazy": (None, 0, 1),
    "pgettext": (0, 1, None),
    "pgettext_lazy": (0, 1, None),
    "npgettext": (0, 1, 2),
    "npgettext_lazy": (0, 1, 2),
}


class UnreadableMessage(ValueError):
    """A gettext call whose text is put together when it runs, so that no catalogue can hold it."""


def extract_python(source: str, path: str, *, strict: bool = True) -> Iterator[Message]:
    """Messages of one module. Raises SyntaxError, and UnreadableMessage for an f-string or a sum of strings.

    A plain variable is let through: it carries a text that was marked where it was written. Somebody else's code is
    read without `strict`: what no catalogue can hold is passed over.
    """
    tree = ast.parse(source, filename=path)
    functions, modules = _imported_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = _called(node.func, functions, modules)
            if name:
                yield from _message(node, name, path, strict)


def _imported_names(tree: ast.Module) -> tuple[dict[str, str], set[str]]:
    """Local name to gettext function, and local names of the translation module itself."""
    functions: dict[str, str] = {}
    modules: set[str] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            local = alias.asname or alias.name
            if node.module in _MODULES and alias.name in _ARGUMENTS:
                functions[local] = alias.name
            elif node.module == "django.utils" and alias.name == "translation":
                modules.add(local)
    return functions, modules


def _called(function: ast.expr, functions: dict[str, str], modules: set[str]) -> str:
    match function:
        case ast.Name(id=name):
            return functions.get(name, "")
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in modules and name in _ARGUMENTS:
            return name
    return ""


def _message(call: ast.Call, name: str, path: str, strict: bool) -> Iterator[Message]:
    try:
        context, text, plural = (_text(call, position, path) for position in _ARGUMENTS[name])
    except UnreadableMessage:
        if strict:
            raise
        return
    if text:
        yield Message(text, plural, context, path)


def _text(call: ast.Call, position: int | None, path: str) -> str:
    argument = call.args[position] if position is not None and position < len(call.args) else None
    match argument:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr() | ast.BinOp() | ast.Call(func=ast.Attribute(value=ast.Constant())):
            raise UnreadableMessage(
                f"{path}:{call.lineno}: translate one whole string with named placeholders, then fill it in: "
                '_("%(name)s is taken") % {"name": name}'
            )
    return ""
