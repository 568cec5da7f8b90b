"""What people do with incidents, and what each step refuses."""

from __future__ import annotations

import pytest

from apps.accounts.models import User
from apps.checks.incidents import IncidentConflict, acknowledge_incident, add_note, resolve_incident
from apps.checks.models import Incident
from tests.checks.looking import FAILED, OK, look, make_check

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    user: User = User.objects.create_user(username="alice")
    return user


def failing() -> Incident:
    check = make_check()
    look(check, FAILED, FAILED)
    return Incident.objects.get()


def test_acknowledging_says_who_has_it_and_twice_changes_nothing(alice: User) -> None:
    incident = failing()
    acknowledge_incident(incident=incident, actor=alice)
    acknowledge_incident(incident=incident, actor=alice)
    incident.refresh_from_db()
    assert incident.acknowledged_by == alice
    assert list(incident.events.values_list("kind", flat=True)) == ["opened", "acknowledged"]


def test_resolving_what_still_fails_is_refused_without_force(alice: User) -> None:
    incident = failing()
    with pytest.raises(IncidentConflict):
        resolve_incident(incident=incident, actor=alice)
    incident.refresh_from_db()
    assert incident.resolved_at is None


def test_resolved_by_force_no_new_one_opens_until_it_was_operational_once(alice: User) -> None:
    incident = failing()
    check = incident.target.checks.get()
    resolve_incident(incident=incident, actor=alice, force=True)
    look(check, FAILED, FAILED, FAILED)
    assert Incident.objects.count() == 1
    look(check, OK, FAILED, FAILED)
    assert Incident.objects.count() == 2


def test_a_resolved_incident_cannot_be_acknowledged(alice: User) -> None:
    incident = failing()
    look(incident.target.checks.get(), OK)
    with pytest.raises(IncidentConflict):
        acknowledge_incident(incident=incident, actor=alice)


def test_a_note_goes_into_the_timeline(alice: User) -> None:
    incident = failing()
    add_note(incident=incident, actor=alice, text="Restarting the <b>proxy</b>.")
    event = incident.events.get(kind="note")
    assert (event.sequence, event.actor, event.text) == (2, alice, "Restarting the <b>proxy</b>.")
