"""Every template: it compiles, and holds nothing the content policy would refuse."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.template import engines
from django.template.loader import render_to_string

from tests.dashboard.rendering import HOSTILE

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_template_holds_what_the_content_policy_refuses(path: Path) -> None:
    source = re.sub(r"{%\s*comment\s*%}.*?{%\s*endcomment\s*%}", "", path.read_text(), flags=re.DOTALL)
    tags = re.findall(r"<[a-zA-Z](?:{%.*?%}|{{.*?}}|\"[^\"]*\"|'[^']*'|[^>\"'])*>", source)
    for tag in (re.sub(r"{%.*?%}|{{.*?}}", " ", found) for found in tags):
        assert not re.search(r"\sstyle\s*=", tag), f"inline style: {tag}"
        assert not re.search(r"\son\w+\s*=", tag), f"inline handler: {tag}"
        assert "javascript:" not in tag, tag
    inline = [tag for tag in tags if tag.startswith(("<script", "<style")) and "src=" not in tag and "nonce" not in tag]
    assert inline == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_template_compiles(path: Path) -> None:
    assert engines["django"].get_template(str(path.relative_to(ROOT / "templates")))


def test_every_icon_that_is_named_is_drawn() -> None:
    names = {symbol.get("id") for symbol in ElementTree.parse(ROOT / "static/icons/sprite.svg").getroot()}
    used = {name for path in TEMPLATES for name in re.findall(r'{% icon "([\w-]+)"', path.read_text())}
    assert used <= names, used - names


@pytest.mark.parametrize("code", [400, 403, 404, 413, 500, 503])
def test_an_error_page_needs_no_request_and_no_database(code: int) -> None:
    html = render_to_string(f"errors/{code}.html")
    assert str(code) in html
    assert "<h1>" in html


def test_the_outage_page_says_what_is_gone_and_asks_again_by_itself() -> None:
    html = render_to_string("errors/503.html", {"sentence": HOSTILE, "retry_after": 7})
    assert '<meta http-equiv="refresh" content="7">' in html
    assert "every 7 seconds" in html
    assert "<script>alert" not in html
