"""Which translations are refused, and that a catalogue written twice is the same file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.translation.bare_python import bare_strings
from tools.translation.bare_templates import bare_text
from tools.translation.catalogue import catalogue_path, read_catalogue, updated, write_catalogue
from tools.translation.judgement import problems_of, translation_problems
from tools.translation.message import Message

GOOD = [
    ("Sign in", "", "로그인"),
    ("%(name)s was added.", "", "%(name)s을(를) 추가했습니다."),
    ("%(number)s row", "%(number)s rows", "%(number)s행"),
    ("The one target", "All %(total)s targets", "대상 %(total)s개 모두"),
    ("<b>%(name)s</b> is down", "", "<b>%(name)s</b> 장애"),
    ("%(number)s %%", "", "%(number)s%%"),
    ("PostgreSQL", "", "PostgreSQL"),
    ("Try again.", "", "다시 시도하세요."),
]
BAD = [
    ("%(name)s was added.", "", "추가했습니다.", "other placeholders"),
    ("%(name)s was added.", "", "%(nane)s을(를) 추가했습니다.", "other placeholders"),
    ("%s of %d", "", "%s 중", "other placeholders"),
    ("{name} is down", "", "장애: {target}", "other placeholders"),
    ("%(number)s row", "%(number)s rows", "행", "other placeholders"),
    ("<b>%(name)s</b> is down", "", "%(name)s 장애", "other HTML tags"),
    (" Sign in", "", "로그인", "other white space"),
    ("Sign in\n", "", "로그인", "other white space"),
    ("It works.", "", "동작합니다", "another mark"),
    ("Sign in", "", "Sign in", "still English"),
    ("%(name)s was added.", "", "%(name)s를 추가했습니다.", "depends on an unknown word"),
    ("“%(name)s” is down.", "", "“%(name)s”이 장애입니다.", "depends on an unknown word"),
    ("It works.", "", "동작해요.", "해요체"),
]


@pytest.mark.parametrize(("text", "plural", "translated"), GOOD)
def test_a_fitting_translation_has_no_problem(text: str, plural: str, translated: str) -> None:
    assert list(translation_problems(text, plural, translated)) == []


@pytest.mark.parametrize(("text", "plural", "translated", "problem"), BAD)
def test_a_translation_that_breaks_a_page_or_reads_badly_is_named(
    text: str, plural: str, translated: str, problem: str
) -> None:
    assert problem in "\n".join(translation_problems(text, plural, translated))


CATALOGUE = """
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\n"

msgid "Kept"
msgstr "유지"

#, fuzzy
msgid "Guessed"
msgstr "추측"

msgid "Gone"
msgstr "사라짐"

#~ msgid "Long gone"
#~ msgstr "오래전"
"""
MESSAGES = [Message("Kept", path="a.py"), Message("Guessed", path="b.py"), Message("New", path="c.py")]


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = catalogue_path(tmp_path, "ko")
    path.parent.mkdir(parents=True)
    path.write_text(CATALOGUE)
    return path


def test_missing_empty_fuzzy_and_obsolete_entries_are_all_listed(stored: Path) -> None:
    assert problems_of(read_catalogue(stored, "ko"), [*MESSAGES, Message("May", path="d.py")]) == [
        "“Guessed” is marked fuzzy",
        "“Gone” is in no source file any more",
        "“May” (d.py) is missing",
        "“New” (c.py) is missing",
        "“Long gone” is kept as obsolete",
    ]


def test_merging_keeps_what_is_translated_guesses_nothing_and_drops_the_rest(stored: Path) -> None:
    merged = updated(read_catalogue(stored, "ko"), MESSAGES, "ko")

    assert [(entry.id, entry.string or "") for entry in merged if entry.id] == [
        ("Kept", "유지"),
        ("Guessed", ""),
        ("New", ""),
    ]
    assert not merged.obsolete
    assert len(problems_of(merged, MESSAGES)) == 2


def test_a_month_without_a_context_is_refused_because_dates_would_show_it() -> None:
    merged = updated(read_catalogue(Path("none"), "ko"), [Message("May", path="a.py")], "ko")

    assert "“May” needs a context (pgettext): Django uses the bare word in dates" in problems_of(
        merged, [Message("May", path="a.py")]
    )


def test_writing_twice_changes_nothing_the_second_time(stored: Path) -> None:
    def collect() -> bool:
        return write_catalogue(updated(read_catalogue(stored, "ko"), reversed(MESSAGES), "ko"), stored, "ko")

    assert [collect(), collect()] == [True, False]
    assert "Date" not in stored.read_text()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Sign in</p>", ["Sign in"]),
        ("<p>{{ name }} is down</p>", ["… is down"]),
        ('<img alt="A chart">', ['alt="A chart"']),
        ('<button type="button" aria-label="Close">x</button>', ['aria-label="Close"']),
        ('<input type="submit" value="Save">', ['value="Save"']),
        ('{% include "row.html" with label="Save" %}', ['"Save"']),
        ('{% table_header "Since" %}', ['"Since"']),
        ('{{ name|default:"Not known" }}', ['"Not known"']),
        ('{{ ready|yesno:"ready,waiting" }}', ['"ready,waiting"']),
        ('<p class="a">{% translate "Sign in" %}{# a note #}{% comment %}not shown{% endcomment %}</p>', []),
        ("{% blocktranslate %}Sign in{% endblocktranslate %}", []),
        ('<a title="{% translate "Close" %}" href="{% url "page" %}">{{ count }} ms · p95</a>', []),
        ("<script>let word = 1;</script><code>SELECT</code><kbd>Home</kbd>", []),
        ('<span translate="no">whsec_abc</span>', []),
        ('{% include "row.html" with label=_("Save") icon="close" %}{{ icon|default:"clock" }}', []),
    ],
)
def test_text_that_no_translation_tag_holds_is_found_in_templates(source: str, found: list[str]) -> None:
    assert bare_text(source) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('Field(label="Name of it")', ["1: Name of it"]),
        ('raise ValidationError({"name": f"Not {name} again"})', ["1: Not … again"]),
        ('messages.success(request, "All done")', ["1: All done"]),
        ('@admin.display(description="Last look")\ndef f(): ...', ["1: Last look"]),
        ('class Kind(TextChoices):\n    A = "a", "First one"', ["2: First one"]),
        ('class Shop(AppConfig):\n    label = "shop"\n    verbose_name = _("Shop")', []),
        ('Field(label=_("Name"))', []),
        ('logger.info("all done")', []),
    ],
)
def test_words_for_people_that_no_call_marks_are_found_in_python(source: str, found: list[str]) -> None:
    assert bare_strings(source, "module.py") == found
