"""When solutions of a session are sent at once, and when one at a time."""

from __future__ import annotations

import pytest

from scrapy_captcha.sessions.manners import Flight, Manner, Manners


def accepted(site: Manners, *, overlapped: bool = False, **cookies: bool) -> None:
    flight = Flight(0.0, site.manner, 1.0, overlapped=overlapped, **cookies)
    site.learn_accepted(flight, outdated=False)


def rejected(site: Manners, *, overlapped: bool) -> int:
    return site.count_rejection(
        Flight(0.0, site.manner, 1.0, overlapped=overlapped), outdated=False
    )


def on_trial() -> Manners:
    """A site that has taken three solutions one at a time."""
    site = Manners()
    for _ in range(3):
        assert not site.take_two
        accepted(site)
    return site


def apart() -> Manners:
    """One that has then taken two pairs."""
    site = on_trial()
    for _ in range(4):
        assert site.take_two
        accepted(site, overlapped=True)
    return site


def test_after_two_pairs_that_were_accepted_none_waits_for_another() -> None:
    site = apart()

    assert site.manner is Manner.APART
    assert not site.take_two


@pytest.mark.parametrize("cookies", [{"sets_cookie": True}, {"at_gate": True}])
def test_a_site_that_remembers_something_in_the_session_is_not_tried(
    cookies: dict[str, bool],
) -> None:
    site = Manners()
    accepted(site, **cookies)
    for _ in range(10):
        accepted(site)

    assert not site.take_two
    assert site.manner is Manner.TURNS


@pytest.mark.parametrize("pairs", [0, 1, 3])
def test_a_rejection_in_a_pair_is_our_doing_and_ends_the_trial_for_good(pairs: int) -> None:
    site = on_trial()
    for _ in range(pairs):
        accepted(site, overlapped=True)

    assert rejected(site, overlapped=True) == 0
    for _ in range(10):
        accepted(site)
        accepted(site, overlapped=True)
        assert site.manner is Manner.TURNS
        assert not site.take_two


def test_a_rejection_after_the_trial_puts_an_end_to_it_too() -> None:
    site = apart()

    assert [rejected(site, overlapped=True) for _ in range(2)] == [0, 0]
    assert site.manner is Manner.TURNS
    assert not site.take_two
    assert rejected(site, overlapped=False) == 1


def test_after_many_that_were_accepted_at_once_a_rejection_is_the_sites() -> None:
    site = apart()
    for _ in range(40):
        accepted(site, overlapped=True)

    assert rejected(site, overlapped=True) == 1
    assert site.manner is Manner.APART


def test_rejections_one_at_a_time_before_any_trial_are_the_sites() -> None:
    assert rejected(Manners(), overlapped=False) == 1
