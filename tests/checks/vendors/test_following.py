"""The check of a provider's status page is made, edited and removed with the page's address; there are never two."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from apps.catalog.models import Provider
from apps.catalog.services import create_provider, update_target
from apps.checks.models import Check, VendorChange, VendorIncident, VendorPage
from apps.checks.services import create_check, update_check
from apps.checks.vendors.services import follow_page
from tests.checks.vendors.reading import URL, ago, checks_of, follow, incident, make_followed, page_of, read, summary
from tests.factories import make_provider

pytestmark = pytest.mark.django_db


def test_an_address_makes_a_check_that_does_not_count_and_a_page_that_is_unknown() -> None:
    provider = create_provider(actor=None, name="Example AI", status_page_url=URL, status_components=["API"])
    (check,) = checks_of(provider)
    assert check.config == {"url": URL, "components": ["API"]} | {
        name: check.config[name] for name in check.config if name not in ("url", "components")
    }
    assert (check.interval_seconds, check.affects_status) == (120, False)
    page = page_of(provider)
    assert (page.status, page.readable, page.problem) == ("unknown", False, "not_read_yet")


def test_a_provider_without_an_address_has_neither() -> None:
    provider = make_provider()
    assert checks_of(provider) == []
    assert not VendorPage.objects.exists()


def test_a_new_address_edits_the_same_check_and_forgets_what_the_old_page_said() -> None:
    provider = make_followed()
    (check,) = checks_of(provider)
    update_check(actor=None, check=check, interval_seconds=600)
    read(provider, summary("major", (incident("1", ago(5)),)), ago(5))
    update_target(actor=None, target=provider.target, status_page_url="https://status.example.org")
    (after,) = checks_of(provider)
    assert (after.pk, after.config["url"], after.interval_seconds) == (check.pk, "https://status.example.org", 600)
    assert page_of(provider).status == "unknown"
    assert not VendorIncident.objects.exists()
    assert [change.status for change in VendorChange.objects.order_by("at")] == ["degraded", "unknown"]


def test_new_components_edit_the_check_and_keep_the_page() -> None:
    provider = make_followed()
    read(provider, summary("none", components={"API": "operational"}), ago(5))
    update_target(actor=None, target=provider.target, status_components=["API"])
    (check,) = checks_of(provider)
    assert check.config["components"] == ["API"]
    assert page_of(provider).status == "operational"


def test_without_the_address_check_and_page_are_gone_and_the_history_stays() -> None:
    provider = make_followed()
    read(provider, summary("none"), ago(5))
    update_target(actor=None, target=provider.target, status_page_url="")
    assert checks_of(provider) == []
    assert not VendorPage.objects.exists()
    assert [change.status for change in VendorChange.objects.order_by("at")] == ["operational", "unknown"]


def test_the_same_twice_changes_nothing() -> None:
    provider = make_followed()
    before = checks_of(provider)[0].updated_at
    follow_page(provider)
    (check,) = checks_of(provider)
    assert check.updated_at == before


def test_a_check_somebody_made_by_hand_is_taken_over() -> None:
    provider = make_provider()
    own = create_check(
        actor=None, target=provider.target, kind="vendor_status", config={"url": "https://a.example.org"}
    )
    follow(provider)
    (check,) = checks_of(provider)
    assert (check.pk, check.config["url"]) == (own.pk, URL)


def test_a_name_that_is_taken_is_no_obstacle() -> None:
    provider = make_provider(base_url="http://127.0.0.1:9/v1")
    config = {"base_url": "http://127.0.0.1:9/v1"}
    create_check(actor=None, target=provider.target, kind="ai_models", config=config, name="Vendor's status page")
    follow(provider)
    assert len(checks_of(provider)) == 1


def test_an_address_no_look_could_use_is_an_error_of_the_provider_s_own_field() -> None:
    provider = make_provider()
    provider.status_page_url = "https://user:secret@status.example.org"
    provider.save(update_fields=["status_page_url"])
    with pytest.raises(ValidationError) as caught:
        follow_page(provider)
    assert set(caught.value.message_dict) == {"status_page_url"}


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_check() -> None:
    provider = make_provider()
    Provider.objects.filter(pk=provider.pk).update(status_page_url=URL)
    barrier, problems = threading.Barrier(2), []

    def go() -> None:
        try:
            barrier.wait(5)
            follow_page(Provider.objects.get(pk=provider.pk))
        except Exception as error:
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert problems == []
    assert Check.objects.filter(kind="vendor_status", deleted_at__isnull=True).count() == 1


def test_only_what_concerns_the_page_touches_it(django_assert_num_queries: Any) -> None:
    from apps.checks.vendors.receivers import follow as follow_change  # noqa: PLC0415 - connects signals

    provider = make_followed()
    with django_assert_num_queries(0):
        follow_change(provider=provider, fields=frozenset({"api_key", "monthly_cap"}))
