"""The judge of the crash proof finds every kind of fault: one that finds none would prove nothing."""

from __future__ import annotations

import pytest

from benchmarks.delivery.arrivals import Arrival, Judgement, Step, judge, percentile

COMMITTED: dict[Step, float] = {("a", 1): 10.0, ("a", 2): 11.0, ("b", 1): 12.0}


def arrival(incident: str, sequence: int, *, id: str = "", verified: bool = True, target: str = "shop") -> Arrival:
    identifier = id or f"{incident}{sequence}"
    return Arrival(15.0, identifier, "incident.opened", verified, incident, sequence, target)


ALL = [arrival("a", 1), arrival("a", 2), arrival("b", 1)]


def judged(*arrivals: Arrival) -> Judgement:
    return judge(COMMITTED, arrivals)


def test_everything_once_and_in_order_is_good() -> None:
    found = judged(*ALL)
    assert found.problems() == []
    assert found.waits == [3.0, 4.0, 5.0]


@pytest.mark.parametrize(
    ("arrivals", "sentence"),
    [
        (ALL[:2], "1 lost"),
        ([*ALL, arrival("b", 1)], "33.33% were told twice"),
        ([*ALL, arrival("b", 1, id="another")], "1 repeats came under another webhook-id"),
        ([ALL[1], ALL[0], ALL[2]], "1 steps came after a later one of their incident"),
        ([*ALL, arrival("a", 1)], "1 steps came after a later one of their incident"),
        ([*ALL[:2], arrival("b", 1, verified=False)], "1 signatures are not ours"),
        ([*ALL, arrival("c", 1)], "1 steps were told that never happened"),
    ],
)
def test_each_fault_is_found(arrivals: list[Arrival], sentence: str) -> None:
    assert any(problem.startswith(sentence) for problem in judged(*arrivals).problems())


def test_nothing_committed_proves_nothing() -> None:
    assert judge({}, []).problems() == ["nothing was committed, so nothing is proven"]


def test_a_later_incident_told_first_is_counted_for_its_target() -> None:
    assert judged(ALL[2], ALL[0], ALL[1]).target_violations == 2


def test_other_messages_are_counted_and_not_judged() -> None:
    found = judged(*ALL, Arrival(16.0, "x", "alert.firing", True, sequence=1))
    assert (found.others, found.problems()) == (1, [])


def test_percentiles_are_of_the_values_given() -> None:
    assert [percentile([1.0, 2.0, 3.0, 4.0], share) for share in (0.0, 0.5, 1.0)] == [1.0, 3.0, 4.0]
    assert percentile([], 0.5) == 0.0
