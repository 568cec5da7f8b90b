"""What every probe kind must hold, whoever wrote it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.utils.functional import Promise
from jsonschema import Draft202012Validator
from msgspec import inspect

from apps.core import kindconfig
from apps.core.addresses import channel_policy, probe_policy
from apps.core.kindconfig import MASK, ConfigError
from apps.probes.base import (
    PROBE_KINDS,
    AsyncProbeKind,
    HttpProbeKind,
    Outcome,
    OutcomeState,
    ProbeKind,
    PushProbeKind,
    Reason,
)
from apps.probes.runner import run_once
from tests.servers.http import HttpServer, answer
from tests.servers.listening import SpeakingServer, free_port

ROOT = Path(__file__).resolve().parents[2]
SECRET = "hunter2-never-to-be-seen"

# One config a kind that uses every secret it has, pointed at a port of this machine. A new kind adds its line here.
SAMPLES: dict[str, dict[str, Any]] = {
    "http": {
        "url": "http://127.0.0.1:{port}/",
        "headers": {"X-Api-Key": SECRET},
        "bearer_token": SECRET,
        "conditions": [{"field": "status", "operator": "==", "value": 200}],
    },
    "tcp": {"host": "127.0.0.1", "port": "{port}", "expect": "hello"},
    "postgres": {"host": "127.0.0.1", "port": "{port}", "user": "u", "password": SECRET, "ssl_mode": "disable"},
    "redis": {"host": "127.0.0.1", "port": "{port}", "password": SECRET},
    "celery_worker": {"host": "127.0.0.1", "port": "{port}", "password": SECRET, "queues": ["a"]},
    "heartbeat": {"grace_seconds": 600, "cron": "0 2 * * *", "timezone": "Asia/Seoul"},
    "ai_models": {"base_url": "http://127.0.0.1:{port}/v1", "api_key": SECRET, "model": "m"},
    "ai_ping": {"max_output_tokens": 32},
    "ai_stream": {"stall_timeout_seconds": 5, "first_token_timeout_seconds": 20},
    "ai_embedding": {"dimensions": 8},
    "ai_canary": {"prompts": [{"name": "Sum", "prompt": SECRET, "system": SECRET, "expected": "42"}]},
    "vendor_status": {"url": "http://127.0.0.1:{port}/", "components": ["API"], "quiet_days": 90},
}
# Kinds that read what somebody says of itself: that it cannot be read is no failure of anything.
HEARSAY = {"vendor_status"}
KINDS = [kind for _name, kind in PROBE_KINDS.items()]
EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.name))
# A kind that looks goes out to a target; a kind that is told has nobody to go to.
LOOKING = [kind for kind in KINDS if kind.transport != "push"]
EVERY_LOOKING_KIND = pytest.mark.parametrize("kind", LOOKING, ids=lambda kind: str(kind.name))
TOLD = [kind for kind in KINDS if kind.transport == "push"]
EVERY_TOLD_KIND = pytest.mark.parametrize("kind", TOLD, ids=lambda kind: str(kind.name))
BASES: dict[str, type[ProbeKind[Any]]] = {"http": HttpProbeKind, "async": AsyncProbeKind, "push": PushProbeKind}


def sample(kind: ProbeKind[Any], port: int = 9) -> dict[str, Any]:
    text = json.dumps(SAMPLES[kind.name]).replace('"{port}"', str(port)).replace("{port}", str(port))
    config: dict[str, Any] = json.loads(text)
    return config


def job_config(kind: ProbeKind[Any], port: int = 9) -> dict[str, Any]:
    """A config as it goes out: with its endpoint filled in from provider and model, where the kind takes one."""
    if not kind.uses_endpoint:
        return sample(kind, port)
    endpoint = {"base_url": f"http://127.0.0.1:{port}/v1", "api_key": SECRET, "model": "m"}
    return {**sample(kind, port), "endpoint": endpoint}


def entered(paths: list[str]) -> list[str]:
    """Of those paths, what a person enters; the rest is filled in."""
    return [path for path in paths if not path.startswith("endpoint.")]


def described(schema: dict[str, Any], path: str) -> dict[str, Any]:
    """What a schema says of a setting, also of one of every entry of a list."""
    here = schema
    for step in path.split("."):
        here = here["items"] if step == "*" else here["properties"][step]
        if "$ref" in here:
            here = schema["$defs"][here["$ref"].rpartition("/")[2]]
    return here


@EVERY_KIND
def test_a_kind_is_complete(kind: ProbeKind[Any]) -> None:
    assert kind.name in SAMPLES, "add a sample config"
    assert isinstance(kind.label, Promise)
    assert isinstance(kind.summary, Promise)
    assert kind.target_kinds <= {"provider", "model", "service"}
    assert isinstance(kind, BASES[kind.transport])
    assert 0 < kind.default_timeout_seconds <= kind.default_interval_seconds
    assert 1 <= kind.default_failure_threshold <= 20


@EVERY_KIND
def test_a_kind_has_a_page_that_names_every_setting(kind: ProbeKind[Any]) -> None:
    page = (ROOT / kind.docs).read_text()
    missing = [found.name for found in kindconfig.form_fields(kind.Config) if f"`{found.name}`" not in page]
    assert not missing, f"{kind.docs} says nothing about {missing}"


@EVERY_KIND
def test_a_kind_has_a_test_file(kind: ProbeKind[Any]) -> None:
    assert (ROOT / "tests" / "probes" / f"test_{kind.name}.py").is_file()


@EVERY_KIND
def test_a_config_goes_round_through_dict_json_and_form(kind: ProbeKind[Any]) -> None:
    config = kindconfig.decode(kind.Config, sample(kind))
    plain = json.loads(json.dumps(msgspec.to_builtins(config)))
    given = {name: value for name, value in plain.items() if name != "endpoint"}
    assert kindconfig.decode(kind.Config, given) == config
    names = {found.name for found in kindconfig.form_fields(kind.Config)}
    assert names == set(plain) - ({"endpoint"} if kind.uses_endpoint else set())
    assert all(str(found.label) for found in kindconfig.form_fields(kind.Config))
    assert kind.address(config)


@EVERY_KIND
def test_the_schema_is_valid_and_accepts_the_sample(kind: ProbeKind[Any]) -> None:
    schema = kindconfig.json_schema(kind.Config)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert validator.is_valid(sample(kind))
    assert not validator.is_valid({**sample(kind), "no_such_setting": 1})
    for path in entered(kindconfig.secret_paths(kind.Config)):
        assert described(schema, path)["writeOnly"] is True


@EVERY_KIND
def test_every_text_list_and_number_of_a_config_is_bounded(kind: ProbeKind[Any]) -> None:
    unbounded = list(_unbounded(inspect.type_info(kind.Config), kind.name))
    assert not unbounded


def _unbounded(info: inspect.Type, path: str) -> Iterator[str]:
    if isinstance(info, inspect.Metadata):
        # What is filled in comes from rows of ours, which have their own bounds.
        if not (info.extra or {}).get("filled"):
            yield from _unbounded(info.type, path)
    elif isinstance(info, inspect.UnionType):
        for member in info.types:
            # A union is the value of a condition, whose numbers are only compared.
            if not isinstance(member, inspect.IntType | inspect.FloatType):
                yield from _unbounded(member, path)
    elif isinstance(info, inspect.StructType):
        for found in info.fields:
            yield from _unbounded(found.type, f"{path}.{found.name}")
    elif isinstance(info, inspect.StrType | inspect.ListType | inspect.VarTupleType | inspect.DictType):
        if info.max_length is None:
            yield path
        for part in ("item_type", "key_type", "value_type"):
            if hasattr(info, part):
                yield from _unbounded(getattr(info, part), f"{path}.{part}")
    elif isinstance(info, inspect.IntType | inspect.FloatType) and (info.ge is None or info.le is None):
        yield path


@EVERY_KIND
def test_secrets_are_masked_sealed_and_kept(kind: ProbeKind[Any]) -> None:
    config = sample(kind)
    masked = kindconfig.mask(kind.Config, config)
    assert SECRET not in json.dumps(masked)
    assert SECRET not in json.dumps(kindconfig.without_private(kind.Config, config))
    assert kindconfig.merge(kind.Config, config, masked) == config
    sealed = kindconfig.seal(kind.Config, config, lambda plain: f"sealed:{plain[::-1]}")
    assert SECRET not in json.dumps(sealed)
    assert kindconfig.unseal(kind.Config, sealed, lambda text: text.removeprefix("sealed:")[::-1]) == config
    assert SECRET not in kind.address(msgspec.convert(config, kind.Config))


@EVERY_KIND
def test_secrets_are_not_in_the_errors_of_a_config(kind: ProbeKind[Any]) -> None:
    config = sample(kind)
    for path in kindconfig.secret_paths(kind.Config):
        for wrong in (f"{SECRET}\r\n\0" * 2_000, [SECRET], {"a": SECRET}):
            with pytest.raises(ConfigError) as caught:
                kindconfig.decode(kind.Config, {**config, path: wrong})
            assert SECRET not in str(caught.value)


def without_an_answer(kind: ProbeKind[Any]) -> OutcomeState:
    """What a look is that got no answer."""
    if kind.judges_quality:
        return OutcomeState.DEGRADED
    return OutcomeState.INDETERMINATE if kind.name in HEARSAY else OutcomeState.FAILED


def cause_of(outcome: Outcome) -> str:
    """Why a look got no answer; hearsay tells it beside its own reason."""
    return str(outcome.evidence.get("cause") or outcome.reason.value)


@EVERY_LOOKING_KIND
def test_a_timeout_is_an_outcome_and_comes_in_time(kind: ProbeKind[Any]) -> None:
    with SpeakingServer() as silent:
        started = time.monotonic()
        outcome = run_once(kind.name, job_config(kind, silent.port), 0.4, probe_policy())
    assert outcome.state is without_an_answer(kind)
    assert cause_of(outcome) in (Reason.TIMEOUT, Reason.CONNECT_TIMEOUT)
    assert time.monotonic() - started < 2
    assert outcome.sentence not in ("", str(outcome.reason.label))


@EVERY_LOOKING_KIND
def test_a_refusal_is_an_outcome(kind: ProbeKind[Any]) -> None:
    outcome = run_once(kind.name, job_config(kind, free_port()), 2.0, probe_policy())
    assert (outcome.state, cause_of(outcome)) == (without_an_answer(kind), Reason.CONNECT_REFUSED)
    assert outcome.evidence["host"] == "127.0.0.1"
    assert outcome.started_at > 0


@EVERY_LOOKING_KIND
def test_the_address_policy_holds(kind: ProbeKind[Any]) -> None:
    with SpeakingServer() as server:
        outcome = run_once(kind.name, job_config(kind, server.port), 2.0, channel_policy())
        assert cause_of(outcome) == Reason.ADDRESS_DENIED
        assert server.connections == 0


@EVERY_LOOKING_KIND
def test_a_target_that_echoes_everything_gets_no_secret_into_evidence(kind: ProbeKind[Any]) -> None:
    echo = f"-ERR {SECRET} {SECRET}\r\n".encode()
    with SpeakingServer(reply=echo) as rude, HttpServer() as web:
        web.behave("/", answer(500, SECRET, {"X-Echo": SECRET, "Location": f"/?a={SECRET}"}))
        web.behave("/v1/models", answer(200, f"<html>{SECRET}", {"X-Echo": SECRET}))
        web.behave("/v1/chat/completions", answer(400, {"error": {"message": SECRET}}, {"X-Echo": SECRET}))
        web.behave("/v1/embeddings", answer(200, {"error": {"message": SECRET}}, {"X-Echo": SECRET}))
        for port in (rude.port, web.port):
            outcome = run_once(kind.name, job_config(kind, port), 0.6, probe_policy())
            assert outcome.state is not OutcomeState.OK
            assert SECRET not in json.dumps(outcome.to_wire())
            assert SECRET not in outcome.sentence


@EVERY_TOLD_KIND
def test_a_kind_that_is_told_is_never_looked_with(kind: ProbeKind[Any]) -> None:
    outcome = run_once(kind.name, job_config(kind), 1.0, probe_policy())
    assert (outcome.state, outcome.reason) == (OutcomeState.INDETERMINATE, Reason.INVALID_CONFIGURATION)
    assert "told" in outcome.evidence["detail"]


@EVERY_KIND
def test_rubbish_for_a_config_is_a_config_error(kind: ProbeKind[Any]) -> None:
    everything: tuple[Any, ...] = (
        None,
        [],
        "x",
        5,
        {"": ""},
        {"conditions": {}},
        {str(number): number for number in range(500)},
    )
    for rubbish in everything:
        with pytest.raises(ConfigError) as caught:
            kindconfig.decode(kind.Config, rubbish)
        assert len(caught.value.errors) <= 50


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.is_paid], ids=lambda kind: str(kind.name))
def test_a_paid_kind_knows_what_it_may_use_and_is_not_asked_often(kind: ProbeKind[Any]) -> None:
    most = kind.most_usage(kindconfig.decode(kind.Config, sample(kind)))
    assert most.tokens_in > 0
    assert kind.uses_endpoint
    assert kind.target_kinds == {"model"}
    assert kind.default_interval_seconds >= 300


def test_masks_are_the_same_everywhere() -> None:
    from apps.core import secrets  # noqa: PLC0415 - reads settings

    assert secrets.MASK == MASK
