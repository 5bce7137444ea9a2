"""Who solves for a session, and what a solution is learned to open."""

from __future__ import annotations

import pytest

from scrapy_captcha.sites import Scope, Sites, Turn

SITE, ONE, OTHER = "example.com", "example.com jar-1", "example.com jar-2"


@pytest.mark.parametrize("scope", [Scope.AUTO, Scope.SITE])
def test_the_first_page_of_a_session_leads_and_the_others_follow(scope: Scope) -> None:
    sites = Sites(scope)

    assert [sites.turn(SITE, ONE, 0.0) for _ in range(3)] == [Turn.LEAD, Turn.FOLLOW, Turn.FOLLOW]
    assert sites.turn(SITE, OTHER, 0.0) is Turn.LEAD


def test_with_a_solution_per_page_each_solves_for_itself() -> None:
    sites = Sites(Scope.PAGE)

    assert [sites.turn(SITE, ONE, 0.0) for _ in range(2)] == [Turn.ALONE, Turn.ALONE]


def test_after_the_one_that_led_has_left_the_next_leads() -> None:
    sites = Sites(Scope.AUTO)
    sites.turn(SITE, ONE, 0.0)
    sites.left(ONE)

    assert sites.turn(SITE, ONE, 0.0) is Turn.LEAD


def test_when_three_in_a_row_have_failed_for_all_each_tries_for_itself() -> None:
    sites = Sites(Scope.AUTO)
    turns = []
    for _ in range(4):
        turns.append(sites.turn(SITE, ONE, 0.0))
        sites.failed(ONE)

    assert turns == [Turn.LEAD, Turn.LEAD, Turn.LEAD, Turn.ALONE]
    sites.opened(ONE, now=5.0)
    assert sites.turn(SITE, ONE, 0.0) is Turn.AGAIN


def test_a_captcha_on_a_page_asked_for_after_another_was_let_in_says_page_by_page() -> None:
    sites = Sites(Scope.AUTO)
    sites.turn(SITE, ONE, 0.0)
    sites.opened(ONE, now=5.0)

    assert sites.turn(SITE, ONE, asked_at=6.0) is Turn.ALONE
    assert sites.turn(SITE, OTHER, asked_at=6.0) is Turn.ALONE
    assert sites.turn("example.org", "example.org jar-1", asked_at=6.0) is Turn.LEAD


@pytest.mark.parametrize("scope", [Scope.AUTO, Scope.SITE])
def test_a_page_asked_for_before_that_may_be_open_by_now(scope: Scope) -> None:
    sites = Sites(scope)
    sites.turn(SITE, ONE, 0.0)
    sites.opened(ONE, now=5.0)

    assert sites.turn(SITE, ONE, asked_at=4.0) is Turn.AGAIN
    assert sites.turn(SITE, ONE, asked_at=float("-inf")) is Turn.LEAD


def test_where_solutions_open_pages_no_page_is_asked_for_again_in_vain() -> None:
    sites = Sites(Scope.AUTO)
    sites.turn(SITE, ONE, 0.0)
    sites.opened(ONE, now=5.0)
    sites.turn(SITE, ONE, asked_at=6.0)
    sites.opened(ONE, now=7.0)

    assert sites.turn(SITE, ONE, asked_at=5.0) is Turn.ALONE


@pytest.mark.parametrize("scope", [Scope.AUTO, Scope.SITE])
def test_a_page_asked_for_before_a_clearance_was_renewed_may_be_open_by_now(scope: Scope) -> None:
    sites = Sites(scope)
    sites.turn(SITE, ONE, 0.0)
    sites.opened(ONE, now=5.0)
    sites.opened_to_all(SITE)
    sites.turn(SITE, ONE, asked_at=20.0)
    sites.opened(ONE, now=25.0)

    assert sites.turn(SITE, ONE, asked_at=21.0) is Turn.AGAIN


def test_a_captcha_asked_for_after_the_first_of_several_openings_says_page_by_page() -> None:
    sites = Sites(Scope.AUTO)
    for now in (5.0, 9.0):
        sites.turn(SITE, ONE, 0.0)
        sites.opened(ONE, now=now)

    assert sites.turn(SITE, ONE, asked_at=6.0) is Turn.ALONE


def test_a_page_that_opens_without_a_solution_of_its_own_says_the_whole_site() -> None:
    sites = Sites(Scope.AUTO)
    sites.turn(SITE, ONE, 0.0)
    sites.opened(ONE, now=5.0)
    sites.opened_to_all(SITE)

    # What shows a captcha from then on is a clearance that has run out: it is solved again, once.
    assert sites.turn(SITE, ONE, asked_at=6.0) is Turn.LEAD
    assert sites.turn(SITE, ONE, asked_at=6.0) is Turn.FOLLOW


def test_what_is_set_is_not_learned_otherwise() -> None:
    sites = Sites(Scope.SITE)
    sites.turn(SITE, ONE, 0.0)
    sites.opened(ONE, now=5.0)

    assert sites.turn(SITE, ONE, asked_at=6.0) is Turn.LEAD
    assert sites.turn(SITE, ONE, asked_at=6.0) is Turn.FOLLOW


def led(scope: Scope = Scope.AUTO, *, captchas: int) -> Sites:
    sites = Sites(scope)
    sites.turn(SITE, ONE, 0.0)
    for _ in range(captchas):
        sites.met(ONE)
    return sites


@pytest.mark.parametrize("scope", [Scope.SITE, Scope.AUTO])
def test_where_solutions_open_the_site_a_led_session_of_captchas_only_is_shut(scope: Scope) -> None:
    sites = led(scope, captchas=3)
    sites.opened_to_all(SITE)

    assert sites.is_shut(SITE, ONE)
    assert not sites.is_shut(SITE, OTHER)


def test_two_captchas_in_a_row_say_too_little() -> None:
    assert not led(Scope.SITE, captchas=2).is_shut(SITE, ONE)


def test_a_free_page_in_between_says_that_the_session_is_not_shut() -> None:
    sites = led(Scope.SITE, captchas=3)
    sites.free(ONE)

    assert not sites.is_shut(SITE, ONE)


def test_a_session_that_nobody_leads_is_not_shut() -> None:
    sites = led(Scope.SITE, captchas=3)
    sites.left(ONE)

    assert not sites.is_shut(SITE, ONE)


@pytest.mark.parametrize("scope", [Scope.PAGE, Scope.AUTO])
def test_where_it_is_not_known_that_solutions_open_the_site_nothing_is_shut(scope: Scope) -> None:
    assert not led(scope, captchas=50).is_shut(SITE, ONE)


def test_only_what_was_met_is_remembered() -> None:
    sites = Sites(Scope.AUTO)
    assert not sites.have_met_captchas
    sites.met(ONE)

    assert sites.have_met_captchas
