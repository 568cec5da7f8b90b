"""The lists of targets: filters and order in the URL, pages by cursor, and what is done with many at once."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from apps.accounts.models import AuditEntry, User
from apps.catalog.models import Environment, Service, Target, TargetStatus
from apps.catalog.services import update_target
from apps.core import clock
from apps.dashboard import lists
from tests.checks.looking import FAILED, OK, look, make_check
from tests.dashboard.rendering import HOSTILE
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_model, make_provider, make_service, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def names(client: Client, address: str) -> list[str]:
    """The names of the rows, in order."""
    answer = client.get(address)
    assert answer.status_code == 200
    found = re.findall(r'<tr id="row-[^"]+"[^>]*data-name="([^"]+)"', answer.content.decode())
    return [name.partition(" · ")[0] for name in found]


def test_models_stand_under_their_provider(page: Client) -> None:
    make_model(make_provider("Beta"), "b-1")
    make_model(make_provider("Alpha"), "a-1")
    assert names(page, "/models/") == ["Alpha", "a-1", "Beta", "b-1"]


def test_each_list_holds_its_kinds(page: Client) -> None:
    make_service("Shop")
    make_provider("OpenAI")
    assert names(page, "/services/") == ["Shop"]
    assert names(page, "/models/") == ["OpenAI"]
    assert names(page, "/targets/") == ["OpenAI", "Shop"]


@pytest.fixture
def some(db: None) -> None:
    look(make_check("Broken"), FAILED, FAILED)
    look(make_check("Good"), OK)
    make_service("Quiet", tags=["night"])
    update_target(actor=None, target=Target.objects.get(name="Quiet"), enabled=False)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Broken", "Good", "Quiet"]),
        ("?status=outage", ["Broken"]),
        ("?status=operational", ["Good"]),
        ("?enabled=no", ["Quiet"]),
        ("?enabled=yes", ["Broken", "Good"]),
        ("?tag=night", ["Quiet"]),
        ("?q=oo", ["Good"]),
        ("?status=outage&q=good", []),
        ("?sort=-name", ["Quiet", "Good", "Broken"]),
        ("?sort=status", ["Broken", "Quiet", "Good"]),
        ("?sort=-status", ["Good", "Quiet", "Broken"]),
        ("?sort=nonsense&status=nonsense&enabled=perhaps&cursor=nonsense", ["Broken", "Good", "Quiet"]),
    ],
)
@pytest.mark.usefixtures("some")
def test_filters_and_order_are_in_the_url(page: Client, query: str, expected: list[str]) -> None:
    assert names(page, f"/services/{query}") == expected


@pytest.mark.usefixtures("some")
def test_a_row_says_why_since_when_and_how_old_its_last_result_is(page: Client) -> None:
    shown = text_of(page.get("/services/?status=outage").content)
    assert "Expected status 200, got 503." in shown
    assert "Uptime 24 h" in shown
    row = text_of(page.get("/services/?q=quiet").content)
    assert "paused" in row
    assert "never" in row


@pytest.mark.usefixtures("some")
def test_what_is_in_force_is_said_and_can_be_taken_off(page: Client) -> None:
    shown = page.get("/services/?status=outage&q=bro&sort=-since").content.decode()
    chips = re.findall(r'class="chip" href="([^"]+)"', shown)
    assert chips == ["/services/?status=outage&amp;sort=-since", "/services/?q=bro&amp;sort=-since"]
    assert 'name="sort" value="-since"' in shown


@pytest.fixture
def many(production: Environment) -> None:
    """Two pages of targets and one more, all with the same status since the same moment."""
    now = clock.now()
    number = 2 * lists.PAGE_SIZE + 1
    targets = Target.objects.bulk_create(
        Target(kind="service", name=f"s{position % 7}-{position}", environment=production) for position in range(number)
    )
    Service.objects.bulk_create(Service(target=target) for target in targets)
    TargetStatus.objects.bulk_create(TargetStatus(target=target, since=now) for target in targets)


@pytest.mark.parametrize("sort", [*lists.SORTS])
@pytest.mark.usefixtures("many")
def test_every_order_can_be_paged_there_and_back(page: Client, sort: str) -> None:
    address = f"/targets/?sort={sort}"
    first = names(page, address)

    def linked(at: str, direction: str) -> str:
        found = re.search(rf'rel="{direction}" href="([^"]+)"', page.get(at).content.decode())
        return f"/targets/{found[1].replace('&amp;', '&')}" if found else ""

    second_address = linked(address, "next")
    third_address = linked(second_address, "next")
    pages = [first, names(page, second_address), names(page, third_address)]
    assert [len(rows) for rows in pages] == [lists.PAGE_SIZE, lists.PAGE_SIZE, 1]
    assert len({name for rows in pages for name in rows}) == 2 * lists.PAGE_SIZE + 1
    assert linked(third_address, "next") == ""
    assert names(page, linked(third_address, "prev")) == pages[1]
    assert names(page, linked(second_address, "prev")) == pages[0]


@pytest.mark.parametrize(
    "cursor",
    ["x", "W10=", "bnVsbA==", "WzAsIFsiYSJdXQ==", "A" * 5_000, "WzAsIFsiXHUwMDAwIiwgIjEiLCAiMSIsICJhIiwgIjEiXV0="],
)
def test_a_cursor_that_cannot_be_read_means_the_first_page(page: Client, cursor: str) -> None:
    make_service("Shop")
    assert names(page, f"/services/?cursor={cursor}") == ["Shop"]


@pytest.mark.usefixtures("some")
def test_a_link_keeps_the_environment_it_was_made_in(page: Client) -> None:
    shown = page.get("/services/?environment=prod&status=outage").content.decode()
    assert 'name="environment" value="prod"' in shown
    assert 'class="chip" href="/services/?environment=prod"' in shown
    incidents = page.get("/incidents/?environment=prod&state=open").content.decode()
    assert 'class="chip" href="/incidents/?environment=prod"' in incidents


@pytest.mark.usefixtures("some")
def test_every_column_that_may_be_hidden_is_marked_in_head_and_rows(page: Client) -> None:
    shown = page.get("/services/").content.decode()
    for column, _label in lists.COLUMNS:
        assert f'value="{column}" checked' in shown
        assert shown.count(f'data-column="{column}"') == 1 + 3


def test_an_empty_list_says_what_would_stand_there(page: Client) -> None:
    assert "No service is watched yet." in text_of(page.get("/services/").content)
    make_service("Shop")
    assert "Nothing matches these filters." in text_of(page.get("/services/?q=zzz").content)


def test_hostile_names_tags_and_searches_are_text(page: Client) -> None:
    make_service(HOSTILE, tags=["<i>"])
    shown = page.get("/services/", {"q": "<script>"}).content.decode()
    assert "<script>alert" not in shown
    assert 'value="&lt;script&gt;"' in shown


# --- Many at once ---------------------------------------------------------------------------------------------


def test_selected_targets_are_paused_and_resumed(page: Client) -> None:
    chosen = [make_service(name).target for name in ("a", "b")]
    other = make_service("c").target
    ids = [str(target.pk) for target in chosen]

    answer = page.post(
        "/targets/bulk/", {"action": "pause", "selected": ids, "back": "service", "query": "q=a"}, follow=True
    )

    assert answer.redirect_chain[-1][0] == "/services/?q=a"
    assert "2 targets paused." in text_of(answer.content)
    assert set(Target.objects.filter(enabled=False).values_list("name", flat=True)) == {"a", "b"}
    assert other.enabled
    assert AuditEntry.objects.filter(action="update").count() == 2
    page.post("/targets/bulk/", {"action": "resume", "selected": ids})
    assert not Target.objects.filter(enabled=False).exists()


def test_only_what_one_may_change_is_changed(client: Client, production: Environment, development: Environment) -> None:
    mine = make_service("mine", environment=development).target
    readable = make_service("readable", environment=production).target
    person = make_user("operator", development)
    person.grants.create(role="viewer", environment=production.pk)
    client.force_login(person)

    answer = client.post(
        "/targets/bulk/", {"action": "pause", "selected": [str(mine.pk), str(readable.pk)]}, follow=True
    )

    assert "1 target paused." in text_of(answer.content)
    assert "1 target was left as it is" in text_of(answer.content)
    assert list(Target.objects.filter(enabled=False)) == [mine]


def test_what_one_cannot_see_is_not_even_counted(
    client: Client, production: Environment, development: Environment
) -> None:
    hidden = make_service("hidden", environment=production).target
    client.force_login(make_user("operator", development))
    answer = client.post("/targets/bulk/", {"action": "pause", "selected": [str(hidden.pk), "rubbish"]}, follow=True)
    assert "Select at least one target." in text_of(answer.content)
    hidden.refresh_from_db()
    assert hidden.enabled


def test_an_unknown_action_is_404_and_a_viewer_gets_no_boxes(client: Client, viewer: User, page: Client) -> None:
    assert page.post("/targets/bulk/", {"action": "explode"}).status_code == 404
    make_service("Shop")
    client.force_login(viewer)
    shown = client.get("/services/").content.decode()
    assert 'name="selected"' not in shown
    assert "Add a service" not in shown


def test_an_empty_list_offers_the_first_step_to_those_who_may_take_it(
    page: Client, client: Client, viewer: User
) -> None:
    offered = re.compile(r'class="empty".*?href="/[^"]*providers?/new/"', re.DOTALL)
    assert offered.search(page.get("/models/").content.decode())
    client.force_login(viewer)
    assert not offered.search(client.get("/models/").content.decode())
