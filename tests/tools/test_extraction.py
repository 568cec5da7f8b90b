"""What is collected is what Django looks up, for every way of marking a string."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.template import Context, Engine
from django.test import override_settings
from django.utils import translation

import apps.probes.details  # noqa: F401 - declares its details
from apps.core.details import DETAILS
from apps.core.embedded.translations import compile_translations
from tools.translation.catalogue import catalogue_path, read_catalogue, updated, write_catalogue
from tools.translation.message import Message
from tools.translation.python_source import UnreadableMessage, extract_python
from tools.translation.sources import project_messages
from tools.translation.template_source import BrokenTemplate, extract_template

# Every way a template may mark a string; each shows its text once, and once only.
TEMPLATES = [
    '{% translate "Sign in" %}',
    "{% translate 'Sign in' %}",
    '{% trans "Sign in" %}',
    '{% translate "Sign in" as words %}{{ words }}',
    '{% translate "Main" context "navigation" %}',
    '{% translate "It\'s here" %}',
    '{% translate "Say \\"yes\\"" %}',
    '{% translate "100 % sure" %}',
    '{% translate "a | b" %}',
    '{{ _("Sign in") }}',
    '{{ nothing|default:_("a | b") }}',
    '{% firstof nothing _("Sign in") %}',
    '{% with words=_("Sign in") %}{{ words }}{% endwith %}',
    "{% blocktranslate %}Sign in{% endblocktranslate %}",
    "{% blocktrans %}Sign in{% endblocktrans %}",
    "{% blocktranslate %}  two\n  lines {% endblocktranslate %}",
    "{% blocktranslate trimmed %}\n  two\n  lines\n{% endblocktranslate %}",
    '{% blocktranslate trimmed context "verb" %} Open {% endblocktranslate %}',
    "{% blocktranslate with who=name %}Hello {{ who }}, 100 % sure{% endblocktranslate %}",
    "{% blocktranslate asvar words %}Sign in{% endblocktranslate %}{{ words }}",
    "{% blocktranslate count number=one %}{{ number }} row{% plural %}{{ number }} rows{% endblocktranslate %}",
    "{% blocktranslate count number=two %}{{ number }} row{% plural %}{{ number }} rows{% endblocktranslate %}",
    '{% blocktranslate trimmed count number=two context "table" %} {{ number }} row {% plural %} {{ number }} rows '
    "{% endblocktranslate %}",
    '{% if name == "Ada" %}{% translate "Sign in" %}{% endif %}',
]
VALUES = {"name": "Ada", "one": 1, "two": 2}


@pytest.fixture
def in_korean(tmp_path: Path) -> Callable[[list[Message], Callable[[], str]], str]:
    """Run something with a catalogue in which every given message is translated as itself between brackets."""

    def run(messages: list[Message], action: Callable[[], str]) -> str:
        path = catalogue_path(tmp_path, "ko")
        catalogue = updated(read_catalogue(path, "ko"), messages, "ko")
        for entry in catalogue:
            if entry.id:
                entry.string = f"[{entry.id}]" if isinstance(entry.id, str) else (f"[{entry.id[1]}]",)
        write_catalogue(catalogue, path, "ko")
        compile_translations(tmp_path)
        with override_settings(LOCALE_PATHS=[tmp_path / "locale"]), translation.override("ko"):
            return action()

    return run


@pytest.mark.parametrize("source", TEMPLATES)
def test_a_string_collected_from_a_template_is_found_when_it_renders(
    source: str, in_korean: Callable[[list[Message], Callable[[], str]], str]
) -> None:
    template = Engine(
        libraries={"i18n": "django.templatetags.i18n"}, builtins=["django.templatetags.i18n"], autoescape=False
    )
    compiled = template.from_string(source)
    messages = list(extract_template(source, "page.html"))

    shown = in_korean(messages, lambda: compiled.render(Context(VALUES, autoescape=False)))

    assert len(messages) == 1
    assert shown.startswith("[") and shown.endswith("]"), shown


def test_comments_and_verbatim_parts_hold_no_messages() -> None:
    source = '{% comment %}{% translate "Not me" %}{% endcomment %}{# _("nor me") #}'
    source += '{% verbatim %}{{ _("nor me") }}{% endverbatim %}'

    assert list(extract_template(source, "page.html")) == []


def test_a_tag_inside_a_translation_block_is_refused_with_its_place() -> None:
    with pytest.raises(BrokenTemplate, match=r"page\.html:2: .*'if ready'"):
        list(extract_template("\n{% blocktranslate %}{% if ready %}x{% endif %}{% endblocktranslate %}", "page.html"))


PYTHON = """
from django.utils import translation
from django.utils.translation import gettext as _, gettext_lazy, ngettext as plural, npgettext_lazy, pgettext
from elsewhere import gettext as other

_("one"), gettext_lazy("two" " halves"), plural("%(n)s row", "%(n)s rows", 2), pgettext("verb", "Open")
npgettext_lazy("table", "%(n)s cell", "%(n)s cells", "n"), translation.gettext("three"), other("not ours"), _(variable)
"""


def test_python_messages_are_found_under_the_names_they_were_imported_as() -> None:
    assert sorted(extract_python(PYTHON, "module.py")) == sorted(
        [
            Message("one", path="module.py"),
            Message("two halves", path="module.py"),
            Message("three", path="module.py"),
            Message("%(n)s row", "%(n)s rows", path="module.py"),
            Message("Open", context="verb", path="module.py"),
            Message("%(n)s cell", "%(n)s cells", "table", "module.py"),
        ]
    )


def test_words_that_are_marked_where_there_are_no_settings_are_collected() -> None:
    source = 'from apps.core.details import add_details, gettext_noop\nWORDS = {1: gettext_noop("no JSON")}\n'
    assert [message.text for message in extract_python(source, "module.py")] == ["no JSON"]
    collected = {message.text for message in project_messages()}
    assert set(dict(DETAILS.items()).values()) <= collected, "a detail nobody would be asked to translate"


@pytest.mark.parametrize(
    "argument", ['f"Hello {name}"', '"Hello " + name', '"Hello %s" % name', '"Hello {}".format(name)']
)
def test_a_text_put_together_before_it_is_translated_is_refused_with_its_line(argument: str) -> None:
    source = f"from django.utils.translation import gettext as _\n_({argument})"

    with pytest.raises(UnreadableMessage, match=r"module\.py:2: "):
        list(extract_python(source, "module.py"))


@pytest.mark.parametrize(("number", "english", "korean"), [(1, "1 row", "1행"), (2, "2 rows", "2행")])
def test_english_counts_without_a_catalogue_and_korean_has_one_form(number: int, english: str, korean: str) -> None:
    def rows() -> str:
        return translation.ngettext("%(number)s row", "%(number)s rows", number) % {"number": number}

    with translation.override("en"):
        assert rows() == english
    with translation.override("ko"):
        assert rows() == korean
