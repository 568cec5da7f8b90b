"""Golden prompts: what a model is asked, what it must answer, and what came of it.

A prompt may be somebody's secret: it is sealed at rest, masked wherever a config is shown, and told by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.core.details import Words, words
from apps.core.kindconfig import SECRET, Text, field
from apps.probes.ai.dialect import Ask, Reply, ToolCall
from apps.probes.ai.schemas import schema_problem, violation
from apps.probes.conditions import pattern, pattern_problem
from apps.probes.details import Detail

MAX_PROMPTS = 20
_MAX_PROMPT = 8_000
_MAX_EXPECTED = 4_000

Assertion = Literal["exact", "regex", "json_schema", "tool_call"]
ASSERTIONS: dict[str, Text] = {
    "exact": _("The answer is exactly this text"),
    "regex": _("The answer matches this regular expression"),
    "json_schema": _("The answer is JSON of this schema"),
    "tool_call": _("The model calls this tool"),
}

_BAD_TOOL = _('Enter a tool as JSON with a name, such as {"name": "get_weather", "parameters": {"type": "object"}}.')
_UNUSED_TOOL = _("Only a prompt whose assertion is a tool call offers a tool.")


class Prompt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One golden prompt. `expected` is a text, a pattern, a JSON schema or a tool call, as `assertion` says."""

    name: Annotated[str, field(_("Name"), _("What it is called wherever it is shown."), min_length=1, max_length=100)]
    prompt: Annotated[
        str, field(_("Prompt"), _("A secret; shown nowhere."), min_length=1, max_length=_MAX_PROMPT), SECRET
    ]
    system: Annotated[str, field(_("System prompt"), _("A secret, too."), max_length=_MAX_PROMPT), SECRET] = ""
    assertion: Annotated[Assertion, field(_("Assertion"), choices=ASSERTIONS)] = "exact"
    expected: Annotated[
        str,
        field(
            _("Expected"),
            _(
                "The text, the regular expression, the JSON schema, or the tool call: a name, or "
                '{"name": …, "arguments": {…}} of which every argument named must be as given.'
            ),
            min_length=1,
            max_length=_MAX_EXPECTED,
        ),
    ]
    tool: Annotated[
        str,
        field(
            _("Tool"),
            _('The tool offered, as JSON: {"name", "description", "parameters"}. Empty: one of the expected name.'),
            max_length=_MAX_EXPECTED,
        ),
    ] = ""
    max_output_tokens: Annotated[
        int, field(_("Output tokens"), _("At most so many are asked for."), ge=16, le=4_096)
    ] = 256

    def check(self) -> dict[str, list[Text]]:
        """Rules msgspec cannot express: what is expected must be of the sort the assertion needs."""
        errors: dict[str, list[Text]] = {}
        problem = _EXPECTATION_PROBLEMS[self.assertion](self.expected)
        if problem is not None:
            errors["expected"] = [problem]
        if self.tool and (self.assertion != "tool_call" or _tool(self.tool) is None):
            errors["tool"] = [_BAD_TOOL if self.assertion == "tool_call" else _UNUSED_TOOL]
        return errors

    def ask(self, once: Callable[[str], str], temperature: float | None) -> Ask:
        """The question, behind a nonce (`once`)."""
        return Ask(
            prompt=once(self.prompt),
            system=self.system,
            max_output_tokens=self.max_output_tokens,
            temperature=temperature,
            tools=(self.offered_tool(),) if self.assertion == "tool_call" else (),
        )

    def offered_tool(self) -> Mapping[str, Any]:
        """The JSON-Schema function a tool call is asked with."""
        found = _tool(self.tool) if self.tool else None
        if found is not None:
            return found
        wanted = _wanted_call(self.expected) or {"name": "tool"}
        properties: dict[str, Any] = {name: {} for name in wanted.get("arguments", {})}
        parameters = {"type": "object", "properties": properties}
        return {"name": wanted["name"], "description": "", "parameters": parameters}


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one prompt, as evidence shows it."""

    name: str
    passed: bool
    assertion: str
    expected: str
    actual: str
    problem: Words | None = None

    def to_evidence(self) -> dict[str, Any]:
        """Plain values; `detail` is there in any case."""
        plain = {name: getattr(self, name) for name in ("name", "passed", "assertion", "expected", "actual")}
        return plain | (self.problem.to_evidence() if self.problem is not None else {"detail": ""})


def holds(prompt: Prompt, reply: Reply) -> Words | None:
    """Why the answer is not what was expected; None when it is."""
    return _JUDGES[prompt.assertion](prompt.expected, reply)


def answer_of(prompt: Prompt, reply: Reply) -> str:
    """What came back, as a text to show beside what was expected."""
    if prompt.assertion == "tool_call" and reply.tool_calls:
        return ", ".join(f"{call.name}({call.arguments})" for call in reply.tool_calls)
    return reply.text


# --- One line an assertion ------------------------------------------------------------------------------------


def _exact(expected: str, reply: Reply) -> Words | None:
    return None if reply.text.strip() == expected.strip() else words(Detail.ANOTHER_TEXT)


def _regex(expected: str, reply: Reply) -> Words | None:
    return None if pattern(expected).search(reply.text) is not None else words(Detail.NO_MATCH)


def _json_schema(expected: str, reply: Reply) -> Words | None:
    try:
        answer = msgspec.json.decode(_unfenced(reply.text))
    except (ValueError, RecursionError):
        return words(Detail.NO_JSON)
    return violation(msgspec.json.decode(expected), answer)


def _tool_call(expected: str, reply: Reply) -> Words | None:
    wanted = _wanted_call(expected) or {}
    if not reply.tool_calls:
        return words(Detail.NO_CALL)
    problems = [_call_problem(wanted, call) for call in reply.tool_calls]
    return None if None in problems else problems[0]


def _call_problem(wanted: Mapping[str, Any], call: ToolCall) -> Words | None:
    if call.name != wanted.get("name"):
        return words(Detail.ANOTHER_CALL, name=call.name)
    given = _json_object(call.arguments or "{}")
    if given is None:
        return words(Detail.NO_ARGUMENTS)
    for name, value in wanted.get("arguments", {}).items():
        if name not in given:
            return words(Detail.ARGUMENT_MISSING, name=name)
        if given[name] != value:
            return words(Detail.ARGUMENT_DIFFERS, name=name)
    return None


_JUDGES: dict[str, Callable[[str, Reply], Words | None]] = {
    "exact": _exact,
    "regex": _regex,
    "json_schema": _json_schema,
    "tool_call": _tool_call,
}


def _unfenced(text: str) -> str:
    """JSON out of a Markdown fence, in which many models put it unasked."""
    stripped = text.strip()
    if stripped.startswith("```") and stripped.endswith("```") and "\n" in stripped:
        return stripped.split("\n", 1)[1].removesuffix("```")
    return stripped


# --- What is wrong with what is expected ----------------------------------------------------------------------


def _no_problem(_expected: str) -> Text | None:
    return None


def _call_expectation_problem(expected: str) -> Text | None:
    if _wanted_call(expected) is not None:
        return None
    return _('Enter the name of a tool, or a call as JSON: {"name": "get_weather", "arguments": {"city": "Seoul"}}.')


_EXPECTATION_PROBLEMS: dict[str, Callable[[str], Text | None]] = {
    "exact": _no_problem,
    "regex": pattern_problem,
    "json_schema": schema_problem,
    "tool_call": _call_expectation_problem,
}


def _wanted_call(expected: str) -> dict[str, Any] | None:
    text = expected.strip()
    if not text.startswith("{"):
        return {"name": text} if _is_tool_name(text) else None
    wanted = _json_object(text)
    if wanted is None or set(wanted) - {"name", "arguments"} or not _is_tool_name(wanted.get("name")):
        return None
    return wanted if isinstance(wanted.get("arguments", {}), dict) else None


def _tool(text: str) -> dict[str, Any] | None:
    found = _json_object(text)
    if found is None or set(found) - {"name", "description", "parameters"} or not _is_tool_name(found.get("name")):
        return None
    if not isinstance(found.get("parameters", {}), dict) or not isinstance(found.get("description", ""), str):
        return None
    return {"description": "", "parameters": {"type": "object", "properties": {}}, **found}


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _is_tool_name(name: object) -> bool:
    return (
        isinstance(name, str)
        and 0 < len(name) <= 64
        and all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in name)
    )


def names_problem(prompts: Sequence[Prompt]) -> Text | None:
    """Names tell prompts apart, so no two are the same."""
    names = [prompt.name.strip().lower() for prompt in prompts]
    return _("Two prompts have the same name; each needs one of its own.") if len(set(names)) < len(names) else None
