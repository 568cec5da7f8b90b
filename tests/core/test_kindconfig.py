"""One struct, and everything that follows from it: errors, schema, form, masking, sealing, keeping."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from apps.core import kindconfig
from apps.core.kindconfig import MASK, SECRET, ConfigError, Text, field

Short = Annotated[str, msgspec.Meta(max_length=10)]


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, field("Name", min_length=1, max_length=10)]
    value: Short | int | float | bool | None = None

    def check(self) -> dict[str, list[Text]]:
        return {"name": ["Not this name."]} if self.name == "bad" else {}


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    url: Annotated[str, field("Address", "Where to.", widget="url", destination=True, max_length=100)]
    port: Annotated[int, field("Port", ge=1, le=65_535)] = 80
    share: Annotated[float, field("Share", unit="%", ge=0, le=1)] = 0.5
    on: Annotated[bool, field("On")] = True
    way: Annotated[Literal["up", "down"], field("Way", choices={"up": "Upwards"})] = "up"
    token: Annotated[str, field("Token", max_length=50), SECRET] = ""
    headers: Annotated[dict[Short, Short], field("Headers", headers=True, max_length=3)] = {}
    body: Annotated[str, field("Body", widget="textarea", private=True, max_length=20)] = ""
    rules: Annotated[tuple[Rule, ...], field("Rules", widget="conditions", max_length=2)] = ()

    def check(self) -> dict[str, list[Text]]:
        return {"port": ["Upwards only below 100."]} if self.way == "up" and self.port > 100 else {}


def errors_of(data: Any) -> dict[str, list[str]]:
    with pytest.raises(ConfigError) as caught:
        kindconfig.decode(Config, data)
    return caught.value.errors


def test_a_right_config_is_decoded_with_its_defaults() -> None:
    config = kindconfig.decode(Config, {"url": "http://a", "share": 1, "rules": [{"name": "x", "value": 3}]})
    assert (config.url, config.port, config.share) == ("http://a", 80, 1.0)
    assert config.rules == (Rule(name="x", value=3),)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, {"url": "This field is required."}),
        ({"url": 5}, {"url": "Enter a text of at most 100 characters."}),
        ({"url": None}, {"url": "Enter a text of at most 100 characters."}),
        ({"url": "x" * 101}, {"url": "Enter a text of at most 100 characters."}),
        ({"url": "a", "port": 0}, {"port": "Enter a whole number from 1 to 65535."}),
        ({"url": "a", "port": "80"}, {"port": "Enter a whole number from 1 to 65535."}),
        ({"url": "a", "port": True}, {"port": "Enter a whole number from 1 to 65535."}),
        ({"url": "a", "port": 1.5}, {"port": "Enter a whole number from 1 to 65535."}),
        ({"url": "a", "share": 2}, {"share": "Enter a number from 0 to 1."}),
        ({"url": "a", "on": "yes"}, {"on": "Enter true or false."}),
        ({"url": "a", "way": "left"}, {"way": "Choose one of: down, up."}),
        ({"url": "a", "headers": []}, {"headers": "Enter an object of at most 3 names with texts."}),
        ({"url": "a", "headers": {"a": 1}}, {"headers": "Enter an object of at most 3 names with texts."}),
        ({"url": "a", "rules": {}}, {"rules": "Enter a list of at most 2 entries."}),
        ({"url": "a", "rules": [{"name": "a"}] * 3}, {"rules": "Enter at most 2 entries."}),
        ({"url": "a", "rules": [{"name": "a"}, {"name": ""}]}, {"rules.1.name": "Enter a text of 1 to 10 characters."}),
        ({"url": "a", "rules": [7]}, {"rules.0": "Enter an object with named values."}),
        ({"url": "a", "rules": [{"name": "bad"}]}, {"rules.0.name": "Not this name."}),
        (
            {"url": "a", "rules": [{"name": "a", "value": []}]},
            {"rules.0.value": "Enter a text, a number, true or false."},
        ),
        ({"url": "a", "port": 200}, {"port": "Upwards only below 100."}),
        ([], {"": "Enter an object with named values."}),
        (None, {"": "Enter an object with named values."}),
    ],
)
def test_a_wrong_field_is_named_with_what_would_be_right(data: Any, expected: dict[str, str]) -> None:
    assert errors_of(data) == {path: [sentence] for path, sentence in expected.items()}


def test_all_wrong_fields_are_named_at_once() -> None:
    found = errors_of({"prot": 1, "port": "x", "on": 3, "rules": [{"nmae": "x"}]})
    assert set(found) == {"url", "prot", "port", "on", "rules.0.nmae", "rules.0.name"}
    assert found["prot"][0].startswith("Unknown field. Known fields: url, port")


def test_a_form_sends_numbers_and_booleans_as_text() -> None:
    config = kindconfig.decode(Config, {"url": "a", "port": "8", "on": "false", "share": "0.25"}, lenient=True)
    assert (config.port, config.on, config.share) == (8, False, 0.25)


def test_a_config_nested_beyond_reason_is_refused() -> None:
    nested: Any = 1
    for _level in range(500):
        nested = {"a": [nested]}
    assert list(errors_of({"url": nested})) == [""]


def test_the_schema_is_valid_and_agrees_with_decoding() -> None:
    schema = kindconfig.json_schema(Config)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert validator.is_valid({"url": "a", "rules": [{"name": "x"}]})
    for wrong in ({}, {"url": "a", "x": 1}, {"url": "a", "port": 0}, {"url": "a", "rules": [{"name": 1}]}):
        assert not validator.is_valid(wrong)
        assert errors_of(wrong)
    properties = schema["properties"]
    assert (properties["token"]["writeOnly"], properties["url"]["title"]) == (True, "Address")
    assert properties["url"]["description"] == "Where to."


def test_the_form_has_a_field_for_every_one_of_the_config() -> None:
    fields = {found.name: found for found in kindconfig.form_fields(Config)}
    types = {name: found.type for name, found in fields.items()}
    assert types == {
        "url": "url",
        "port": "number",
        "share": "number",
        "on": "boolean",
        "way": "choice",
        "token": "secret",
        "headers": "mapping",
        "body": "textarea",
        "rules": "conditions",
    }
    assert (fields["url"].required, fields["port"].required, fields["port"].default) == (True, False, 80)
    assert (fields["port"].minimum, fields["port"].maximum, fields["port"].step) == (1, 65_535, "1")
    assert (fields["share"].unit, fields["share"].step) == ("%", "any")
    assert sorted(fields["way"].choices) == [("down", "down"), ("up", "Upwards")]


STORED = {
    "url": "http://a.example/one",
    "token": "hunter2",
    "headers": {"X-Api-Key": "k1", "Accept": "text"},
    "body": "b",
}


def test_secrets_are_masked_and_everything_else_is_not() -> None:
    shown = kindconfig.mask(Config, STORED)
    assert shown == {**STORED, "token": MASK, "headers": {"X-Api-Key": MASK, "Accept": "text"}}
    assert kindconfig.mask(Config, {"url": "a", "token": ""}) == {"url": "a", "token": ""}
    assert kindconfig.secret_paths(Config) == ["token"]
    assert sorted(kindconfig.secret_values(Config, STORED)) == ["hunter2", "k1"]


def test_a_viewer_sees_neither_headers_nor_bodies() -> None:
    assert kindconfig.without_private(Config, STORED) == {"url": "http://a.example/one", "token": MASK}


def test_sealing_touches_secrets_only_and_unsealing_brings_them_back() -> None:
    sealed = kindconfig.seal(Config, STORED, lambda plain: f"sealed:{plain}")
    assert sealed["token"] == "sealed:hunter2"
    assert sealed["headers"] == {"X-Api-Key": "sealed:k1", "Accept": "text"}
    assert kindconfig.unseal(Config, sealed, lambda text: text.removeprefix("sealed:")) == STORED


@pytest.mark.parametrize(
    ("new", "token", "key"),
    [
        ({"url": "http://a.example/two"}, "hunter2", None),
        ({"url": "http://a.example/two", "token": MASK, "headers": {"x-api-key": MASK}}, "hunter2", "k1"),
        ({"url": "http://a.example/", "token": ""}, "", None),
        ({"url": "http://a.example/", "token": "new", "headers": {"X-Api-Key": "k2"}}, "new", "k2"),
        ({"url": "http://b.example/", "token": "new"}, "new", None),
    ],
)
def test_a_masked_or_absent_secret_keeps_the_stored_one(new: dict[str, Any], token: str, key: str | None) -> None:
    merged = kindconfig.merge(Config, STORED, new)
    assert merged["token"] == token
    headers = merged.get("headers", {})
    assert next((value for name, value in headers.items() if name.lower() == "x-api-key"), None) == key


@pytest.mark.parametrize(
    ("new", "named"),
    [
        ({"url": "http://b.example/"}, "token"),
        ({"url": "https://a.example/one", "token": MASK}, "token"),
        ({"url": "http://a.example:81/", "token": "", "headers": {"X-Api-Key": MASK}}, "headers"),
    ],
)
def test_a_stored_secret_does_not_follow_to_another_server(new: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        kindconfig.merge(Config, STORED, new)
    assert list(caught.value.errors) == [named]


def test_a_mask_for_a_secret_that_was_never_set_is_no_secret() -> None:
    assert kindconfig.merge(Config, {"url": "a"}, {"url": "a", "token": MASK}) == {"url": "a"}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=12,
    )
)
def test_anything_at_all_is_a_config_or_a_list_of_errors(data: Any) -> None:
    for candidate in (data, {"url": data}, {"url": "a", "rules": [data], "headers": data}):
        try:
            kindconfig.decode(Config, candidate)
        except ConfigError as error:
            assert error.errors
            assert all(sentences for sentences in error.errors.values())
