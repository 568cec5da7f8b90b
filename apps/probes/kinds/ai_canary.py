"""`ai_canary`: golden prompts, asked one after the other, and what a model must answer to each.

Quality is an axis of its own: a wrong answer degrades, never fails, and does not say how the model is unless a check
is told that it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import msgspec
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.details import Words, words
from apps.core.kindconfig import FILLED, Text, field
from apps.core.outbound.exchange import OutboundError
from apps.core.outbound.showing import safe_url
from apps.probes.ai import counting
from apps.probes.ai.asking import chat_request, dialect_of, most_usage, nonce, output_limit, unseen
from apps.probes.ai.canary import MAX_PROMPTS, Judged, Prompt, answer_of, holds, names_problem
from apps.probes.ai.dialect import Ask, BadAnswer, Finish, Reply
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.golden import first_prompts
from apps.probes.ai.judging import (
    evidence_of,
    fault_of,
    good,
    malformed_usage,
    refusal,
    shown,
    unanswered,
    unechoed,
    usage_of,
    verdict,
)
from apps.probes.ai.usage import Usage
from apps.probes.base import PROBE_KINDS, AsyncProbeKind, Outcome, Reason
from apps.probes.details import Detail
from apps.probes.looking import Looking

DAY_SECONDS = 86_400
# A timeout of ours comes before the one of the whole look, so that what was paid for is still told.
_MARGIN_SECONDS = 0.25
_PROBLEMS = {Reason.CONTENT_FILTERED: words(Detail.FILTERED), Reason.LENGTH_REACHED: words(Detail.CUT)}


class AiCanaryConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The golden prompts; everything else comes from the model and its provider."""

    prompts: Annotated[
        tuple[Prompt, ...],
        field(
            _("Golden prompts"),
            _("From 1 to 20, asked one after the other. The prompts themselves are secrets and shown nowhere."),
            widget="json",
            min_length=1,
            max_length=MAX_PROMPTS,
            placeholder='[{"name": "Sum", "prompt": "What is 17 + 25? Digits only.", "expected": "42"}]',
        ),
    ]
    temperature: Annotated[
        float,
        field(_("Temperature"), _("0 for answers that are as much the same as they can be."), ge=0, le=2),
    ] = 0.0
    prompt_timeout_seconds: Annotated[
        float,
        field(_("Time for one prompt"), _("Within the whole timeout."), unit=pgettext_lazy("unit", "s"), ge=1, le=120),
    ] = 60.0
    endpoint: Annotated[Endpoint, FILLED] = Endpoint()

    def check(self) -> dict[str, list[Text]]:
        """Rules between the prompts."""
        if not self.prompts:
            return {"prompts": [_("Enter at least one prompt.")]}
        problem = names_problem(self.prompts)
        return {"prompts": [problem]} if problem is not None else {}


class _Stopped(Exception):
    """Nothing more to be had in this look: the model was not reached, refused, or cannot be understood."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(outcome.reason.value)


class AiCanaryKind(AsyncProbeKind[AiCanaryConfig]):
    """Questions with known answers."""

    name = "ai_canary"
    label = _("AI canary")
    summary = _("Asks golden prompts and compares the answers: an exact text, a pattern, a JSON schema, a tool call.")
    Config = AiCanaryConfig
    target_kinds = frozenset({"model"})
    default_interval_seconds = DAY_SECONDS
    default_timeout_seconds = 120.0
    # It comes once a day, and a wrong answer is not a slip of the line.
    default_failure_threshold = 1
    default_affects_status = False
    judges_quality = True
    uses_endpoint = True
    rung = 4

    def most_usage(self, config: AiCanaryConfig) -> Usage:
        each = [most_usage(config.endpoint, _ask(config, prompt, "0" * 12)) for prompt in config.prompts]
        return Usage(tokens_in=sum(one.tokens_in for one in each), tokens_out=sum(one.tokens_out for one in each))

    def first_config(self) -> dict[str, Any]:
        return {"prompts": first_prompts()}

    def address(self, config: AiCanaryConfig) -> str:
        return config.endpoint.model or safe_url(config.endpoint.base_url) or str(self.label)

    async def look(self, config: AiCanaryConfig, looking: Looking) -> Outcome:
        run = _Run(config, looking)
        try:
            for prompt in config.prompts:
                run.judged.append(await run.ask(prompt))
        except _Stopped as stopped:
            return run.stopped(stopped.outcome)
        return run.outcome()


class _Run:
    """One look: its prompts in order, what they used so far, and what came of them."""

    def __init__(self, config: AiCanaryConfig, looking: Looking) -> None:
        self.config = config
        self.judged: list[Judged] = []
        self._endpoint = config.endpoint
        self._dialect = dialect_of(config.endpoint)
        self._looking = looking
        self._used = Usage()
        self._facts: dict[str, Any] = {}
        self._finishes: list[Finish] = []
        looking.evidence |= {"model": config.endpoint.model, "dialect": config.endpoint.dialect}
        self._note(Usage())

    async def ask(self, prompt: Prompt) -> Judged:
        """Ask one and judge its answer. Raises _Stopped when there is no point in the others."""
        ask = _ask(self.config, prompt, nonce())
        limit = output_limit(self._endpoint, ask.max_output_tokens)
        reply = await self._reply(ask, limit)
        self._finishes.append(reply.finish)
        fault = fault_of(reply, ask, limit)
        problem = holds(prompt, reply)
        if fault is not None and (problem is not None or fault[0] is Reason.CONTENT_FILTERED):
            problem = _PROBLEMS.get(fault[0]) or _words_in(fault[1]) or problem
        elif problem is not None and reply.finish == "length":
            problem = _PROBLEMS[Reason.LENGTH_REACHED]
        return Judged(
            name=prompt.name,
            passed=problem is None,
            assertion=prompt.assertion,
            expected=unechoed(prompt.expected[:500], ask),
            actual=shown(answer_of(prompt, reply), ask),
            problem=problem.passed_through(partial(unechoed, ask=ask)) if problem is not None else None,
        )

    async def _reply(self, ask: Ask, limit: int) -> Reply:
        """The answer, its tokens counted. What is under way is counted as the most it can be until it is known."""
        question = counting.text_of(ask)
        self._note(counting.estimated(question, limit))
        try:
            exchange = await self._looking.exchange(chat_request(self._endpoint, ask), self._seconds())
        except OutboundError as error:
            outcome = unanswered(self._endpoint, error, question, ask, most_out=limit)
            if outcome is None:
                self._note(Usage())
                raise
            raise _Stopped(outcome) from None
        refused = refusal(self._endpoint, exchange, ask)
        if refused is not None:
            raise _Stopped(refused)
        self._facts = evidence_of(self._endpoint, exchange)
        try:
            reply = self._dialect.read_reply(exchange.body)
        except BadAnswer as error:
            used = malformed_usage(ask, exchange).measurements()
            raise _Stopped(verdict(Reason.MALFORMED_ANSWER, self._facts | error.words.to_evidence(), used)) from None
        usage = usage_of(reply, ask, limit)
        if reply.problem is not None and reply.problem is not Reason.CONTENT_FILTERED:
            fault = fault_of(reply, ask, limit)
            assert fault is not None  # noqa: S101 - a problem is a fault
            raise _Stopped(verdict(fault[0], self._facts | fault[1], usage.measurements()))
        self._used = _sum(self._used, usage)
        self._note(Usage())
        return reply

    def stopped(self, outcome: Outcome) -> Outcome:
        """What ended the look, with the tokens of the prompts before it and what came of them."""
        usage = _sum(self._used, _usage_in(outcome))
        # What was under way is known now.
        self._note(Usage())
        return outcome.amended(
            measurements=outcome.measurements | usage.measurements(), evidence=outcome.evidence | self._told()
        )

    def outcome(self) -> Outcome:
        """What all the answers together mean."""
        failed = [one for one in self.judged if not one.passed]
        counts = {"prompts": float(len(self.judged)), "prompts_failed": float(len(failed))}
        measurements = self._used.measurements() | counts
        evidence = self._facts | self._told()
        if not failed:
            return good(evidence, measurements)
        if all(one.problem == _PROBLEMS[Reason.CONTENT_FILTERED] for one in failed):
            return verdict(Reason.CONTENT_FILTERED, evidence, measurements)
        return verdict(Reason.WRONG_ANSWER, evidence, measurements)

    def _told(self) -> dict[str, Any]:
        asked = {one.name for one in self.judged}
        unasked = [
            Judged(
                name=prompt.name,
                passed=False,
                assertion=prompt.assertion,
                expected="",
                actual="",
                problem=words(Detail.NOT_ASKED),
            )
            for prompt in self.config.prompts
            if prompt.name not in asked
        ]
        return {
            "prompts": [one.to_evidence() for one in (*self.judged, *unasked)],
            "failed": sum(not one.passed for one in self.judged),
            "count": len(self.config.prompts),
        }

    def _seconds(self) -> float:
        return min(self.config.prompt_timeout_seconds, max(self._looking.remaining() - _MARGIN_SECONDS, 0.05))

    def _note(self, under_way: Usage) -> None:
        """Where the runner finds it when the whole look is cut off."""
        self._looking.measurements.pop("usage_estimated", None)
        self._looking.measurements |= _sum(self._used, under_way).measurements()


def _words_in(facts: Mapping[str, Any]) -> Words | None:
    """The detail of a fault, where it has one of ours."""
    code = facts.get("detail_code")
    return Words(Detail(code), facts.get("detail_values", {})) if code else None


def _ask(config: AiCanaryConfig, prompt: Prompt, once: str) -> Ask:
    return prompt.ask(partial(unseen, once=once), config.temperature)


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        tokens_in=one.tokens_in + other.tokens_in,
        tokens_out=one.tokens_out + other.tokens_out,
        tokens_cached=one.tokens_cached + other.tokens_cached,
        tokens_reasoning=one.tokens_reasoning + other.tokens_reasoning,
        estimated=one.estimated or other.estimated,
    )


def _usage_in(outcome: Outcome) -> Usage:
    measured = outcome.measurements
    return Usage(
        tokens_in=int(measured.get("tokens_in", 0)),
        tokens_out=int(measured.get("tokens_out", 0)),
        tokens_cached=int(measured.get("tokens_cached", 0)),
        tokens_reasoning=int(measured.get("tokens_reasoning", 0)),
        estimated=bool(measured.get("usage_estimated")),
    )


PROBE_KINDS.add("ai_canary", AiCanaryKind())
