"""Words in Python that people see but no gettext call marks: labels, help, choices and errors."""

from __future__ import annotations

import ast

from tools.translation.allowed import unknown_words

_READ_KEYWORDS = {"label", "help_text", "verbose_name", "verbose_name_plural", "empty_label", "empty_value_display"}
_DISPLAY_KEYWORDS = {"description"}  # of @admin.display and @admin.action
_DISPLAY = {"display", "action"}
_ERRORS = {"ValidationError"}
_MESSAGES = {"success", "info", "warning", "error"}
_CHOICES = {"TextChoices", "IntegerChoices"}


def bare_strings(source: str, path: str) -> list[str]:
    """ "line: text" of every string that reaches a page untranslated, as far as a rule of thumb can see."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(source, filename=path)):
        if isinstance(node, ast.Call):
            found += _in_call(node)
        elif isinstance(node, ast.ClassDef):
            found += _in_class(node)
    return [f"{line}: {text}" for line, text in sorted(found) if unknown_words(text)]


def _in_call(call: ast.Call) -> list[tuple[int, str]]:
    name, owner = _names(call.func)
    keywords = _READ_KEYWORDS | (_DISPLAY_KEYWORDS if name in _DISPLAY else set())
    values = [keyword.value for keyword in call.keywords if keyword.arg in keywords]
    if name in _ERRORS:
        values += call.args[:1]
    if owner == "messages" and name in _MESSAGES:
        values += call.args[1:2]
    return [text for value in values for text in _strings(value)]


def _in_class(definition: ast.ClassDef) -> list[tuple[int, str]]:
    bases = {_names(base)[0] for base in definition.bases}
    is_choices = bool(bases & _CHOICES)
    read = _READ_KEYWORDS - {"label"} if "AppConfig" in bases else _READ_KEYWORDS  # an app's label is a name in code
    found: list[tuple[int, str]] = []
    for statement in definition.body:
        if not isinstance(statement, ast.Assign):
            continue
        target = statement.targets[0]
        if isinstance(target, ast.Name) and target.id in read:
            found += _strings(statement.value)
        if is_choices and isinstance(statement.value, ast.Tuple):
            found += _strings(statement.value.elts[-1])
    return found


def _names(node: ast.expr) -> tuple[str, str]:
    """The last name of a dotted expression and the one before it."""
    match node:
        case ast.Name(id=name):
            return name, ""
        case ast.Attribute(value=owner, attr=name):
            return name, _names(owner)[0]
    return "", ""


def _strings(node: ast.expr) -> list[tuple[int, str]]:
    """Literal texts of a value: itself, an f-string's fixed parts, or the values of a dictionary or list."""
    match node:
        case ast.Constant(value=str(text)):
            return [(node.lineno, text)]
        case ast.JoinedStr(values=parts):
            fixed = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            return [(node.lineno, "…".join(fixed))]
        case ast.Dict(values=values):
            return [text for value in values for text in _strings(value)]
        case ast.List(elts=elements):
            return [text for element in elements for text in _strings(element)]
    return []
