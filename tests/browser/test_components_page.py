"""What the scripts of the components do, in a real browser on the page of components."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.dashboard import formatting
from tests.browser.conftest import Complaints
from tests.browser.people import enter
from tests.factories import make_user
from tests.live.web_process import WebProcess

ADDRESS = "/settings/components/"


@pytest.fixture
def staff(transactional_db: None) -> User:
    return make_user("admin", username="alice", is_staff=True)


@pytest.fixture
def gallery(page: Page, web: WebProcess, staff: User, complaints: Complaints) -> Iterator[Page]:
    enter(page, web, staff)
    page.goto(ADDRESS)
    expect(page.locator("#chart-three [data-chart-error]")).to_be_visible()
    yield page
    # One sample chart is answered with an error on purpose.
    complaints.lines = [line for line in complaints.lines if "state=error" not in line]


def test_keys_open_the_help_the_search_and_the_rows(gallery: Page) -> None:
    gallery.keyboard.press("?")
    expect(gallery.locator("#help")).to_be_visible()
    gallery.keyboard.press("Escape")
    expect(gallery.locator("#help")).to_be_hidden()

    gallery.keyboard.press("j")
    gallery.keyboard.press("j")
    expect(gallery.locator("#wrong-2")).to_have_class(re.compile("is-current"))
    gallery.keyboard.press("k")
    expect(gallery.locator("#wrong-1 .row-link")).to_be_focused()

    gallery.keyboard.press("/")
    expect(gallery.locator("#search")).to_be_focused()
    gallery.keyboard.type("?rj/")
    expect(gallery.locator("#search")).to_have_value("?rj/")
    expect(gallery.locator("#help")).to_be_hidden()


def test_the_first_tab_stop_skips_to_the_content(gallery: Page) -> None:
    gallery.keyboard.press("Tab")
    expect(gallery.locator(".skip-link")).to_be_focused()
    gallery.keyboard.press("Enter")
    expect(gallery.locator("#content")).to_be_focused()


def test_a_theme_is_kept_and_applied_before_the_page_is_seen(gallery: Page) -> None:
    gallery.get_by_label("Theme").first.click()
    gallery.locator(".topbar [data-theme-choice=dark]").first.click()
    expect(gallery.locator("html")).to_have_attribute("data-theme", "dark")
    gallery.reload()
    expect(gallery.locator("html")).to_have_attribute("data-theme", "dark")
    assert gallery.evaluate("getComputedStyle(document.body).colorScheme") == "dark"


def test_a_dialog_for_what_cannot_be_undone_wants_the_name_typed(gallery: Page) -> None:
    opener = gallery.locator(".page-actions [data-dialog-open=sample-delete]")
    opener.click()
    confirm = gallery.locator("#sample-delete [data-dialog-confirm]")
    expect(confirm).to_be_disabled()
    gallery.keyboard.type("Payments API")
    expect(confirm).to_be_enabled()
    gallery.keyboard.press("Escape")
    expect(opener).to_be_focused()


def conditions_of(page: Page) -> list[dict[str, object]]:
    value: list[dict[str, object]] = json.loads(page.locator("#id_conditions").input_value())
    return value


def test_conditions_are_edited_by_keyboard_and_stay_typed_values(gallery: Page) -> None:
    gallery.get_by_label("Value 1", exact=True).fill("404")
    assert conditions_of(gallery)[0] == {"field": "status", "operator": "==", "value": 404}
    assert conditions_of(gallery)[1] == {"field": "json.data.0.id", "operator": "==", "value": "gpt-5"}

    gallery.get_by_label("Value 3", exact=True).press("Enter")
    expect(gallery.get_by_label("Field 4", exact=True)).to_be_focused()
    gallery.get_by_label("Field 4", exact=True).select_option("header")
    gallery.get_by_label("Name 4", exact=True).fill("x-version")
    gallery.get_by_label("Operator 4", exact=True).select_option("contains")
    gallery.get_by_label("Value 4", exact=True).fill("12")
    assert conditions_of(gallery)[3] == {"field": "header.x-version", "operator": "contains", "value": "12"}

    gallery.get_by_role("button", name="Remove condition 2").click()
    assert [condition["field"] for condition in conditions_of(gallery)] == [
        "status",
        "response_time_ms",
        "header.x-version",
    ]


def test_conditions_that_cannot_be_read_are_left_to_be_mended(gallery: Page) -> None:
    expect(gallery.locator("#id_broken")).to_be_visible()
    expect(gallery.locator("#id_broken")).to_have_value("[{not json")


def test_a_chart_is_drawn_says_its_values_and_has_a_table(gallery: Page) -> None:
    chart = gallery.locator("#chart-one")
    expect(chart.locator("canvas")).to_be_visible()
    expect(chart.locator("[data-chart-legend] tbody tr")).to_have_count(3)
    chart.get_by_text("Show as a table").click()
    expect(chart.locator("[data-chart-table] tbody tr")).to_have_count(120)
    expect(chart.locator("[data-chart-table]")).to_contain_text("not measured")
    expect(gallery.locator("#chart-two")).to_contain_text("Nothing was measured in this period.")


def test_a_dragged_chart_asks_for_a_shorter_period_and_a_double_click_goes_back(gallery: Page) -> None:
    area = gallery.locator("#chart-one .u-over")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    with gallery.expect_request(re.compile(r"chart\.json\?from=[\d.]+&to=[\d.]+")):
        gallery.mouse.move(box["x"] + 100, y)
        gallery.mouse.down()
        gallery.mouse.move(box["x"] + 300, y, steps=5)
        gallery.mouse.up()
    expect(gallery.locator("#chart-one canvas")).to_be_visible()
    with gallery.expect_request(re.compile(r"chart\.json$")):
        gallery.locator("#chart-one .u-over").dblclick()


def test_a_failed_chart_says_so_inside_its_panel_and_tries_again(gallery: Page) -> None:
    with gallery.expect_response(re.compile("state=error")):
        gallery.locator("#chart-three [data-chart-retry]").click()
    expect(gallery.locator("#chart-three [data-chart-error]")).to_be_visible()


def test_a_focused_history_bar_is_read_with_the_arrow_keys(gallery: Page) -> None:
    bar = gallery.locator("[data-history]").first
    bar.focus()
    gallery.keyboard.press("ArrowLeft")
    expect(gallery.locator("#tip")).to_contain_text("Operational")
    gallery.keyboard.press("Home")
    expect(bar.locator("rect").first).to_have_class(re.compile("is-marked"))
    expect(gallery.locator("#announcer")).to_contain_text("Operational")


def test_columns_that_were_hidden_stay_hidden(gallery: Page) -> None:
    gallery.get_by_text("Columns", exact=True).click()
    gallery.locator("[data-columns-of=wrong] input[value=reason]").uncheck()
    gallery.reload()
    expect(gallery.locator("#wrong-1 [data-column=reason]")).to_be_hidden()
    expect(gallery.locator("#wrong-1 [data-column=since]")).to_be_visible()


def test_selected_rows_bring_up_what_can_be_done_with_them(gallery: Page) -> None:
    gallery.locator("[data-select-all]").check()
    expect(gallery.locator("[data-bulk]")).to_contain_text("3 selected")
    gallery.locator("[data-bulk-clear]").click()
    expect(gallery.locator("[data-bulk]")).to_be_hidden()


def test_scripts_and_server_write_numbers_alike(gallery: Page) -> None:
    milliseconds = [0, 0.42, 4.18, 0.998, 9.94, 9.96, 31.9, 183.4, 999.4, 999.6, 1240, 12_400, 59_949, 125_000]
    seconds = [0, 8, 59.6, 720, 3661, 7200, 273_600, 8_000_000]
    written = gallery.evaluate(
        """async ([milliseconds, seconds]) => {
            const format = await import("/static/js/format.js");
            return [milliseconds.map(format.duration), seconds.map(format.span)];
        }""",
        [milliseconds, seconds],
    )
    assert written == [
        [formatting.duration(value) for value in milliseconds],
        [formatting.span(value) for value in seconds],
    ]


def test_the_page_is_never_wider_than_the_window(gallery: Page) -> None:
    for width in (360, 700, 1080, 1920):
        gallery.set_viewport_size({"width": width, "height": 800})
        assert gallery.evaluate("document.documentElement.scrollWidth") <= width
