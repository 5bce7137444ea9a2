"""Who solves for a session, what a solution is learned to open, and what may cross it."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import pytest

from scrapy_captcha.sessions.manners import Manner
from scrapy_captcha.sessions.scope import Role, Sites
from scrapy_captcha.settings.choices import Scope

if TYPE_CHECKING:
    from scrapy_captcha.sessions.records import Session

SITE, ONE, OTHER = "example.com", "example.com jar-1", "example.com jar-2"


def begun(scope: Scope = Scope.AUTO, *, manner: Manner = Manner.TURNS) -> tuple[Sites, Session]:
    """A site, and a session of it that shows its first captcha."""
    sites = Sites(scope)
    session = sites.session(SITE, ONE)
    sites.captcha_shown(session, 0.0, one_visit=manner is Manner.VISITS)
    return sites, session


def opened(scope: Scope = Scope.AUTO, *, manner: Manner = Manner.TURNS) -> tuple[Sites, Session]:
    """The same, after a solution was accepted at 5.0."""
    sites, session = begun(scope, manner=manner)
    assert sites.role(session, 0.0) is Role.LEAD
    sites.opened(session, 5.0)
    return sites, session


@pytest.mark.parametrize("scope", [Scope.AUTO, Scope.SITE])
def test_the_first_page_of_a_session_leads_and_the_others_follow(scope: Scope) -> None:
    sites, session = begun(scope)

    turns = [sites.role(session, 0.0) for _ in range(3)]

    assert turns == [Role.LEAD, Role.FOLLOW, Role.FOLLOW]
    assert sites.role(sites.session(SITE, OTHER), 0.0) is Role.LEAD


def test_with_a_solution_per_page_each_solves_for_itself() -> None:
    sites, session = begun(Scope.PAGE)

    assert [sites.role(session, 0.0) for _ in range(2)] == [Role.ALONE, Role.ALONE]


@pytest.mark.parametrize("scope", [Scope.AUTO, Scope.PAGE])
def test_captchas_good_for_one_visit_are_solved_one_after_another(scope: Scope) -> None:
    sites, session = begun(scope, manner=Manner.VISITS)

    assert sites.role(session, 0.0) is Role.LEAD
    sites.opened(session, 5.0)
    assert [sites.role(session, 6.0) for _ in range(2)] == [Role.LEAD, Role.FOLLOW]


def test_after_the_one_that_led_has_left_the_next_leads() -> None:
    sites, session = begun()
    sites.role(session, 0.0)
    sites.left(session)

    assert sites.role(session, 0.0) is Role.LEAD


def test_when_three_in_a_row_have_failed_for_all_each_tries_for_itself() -> None:
    sites, session = begun()
    turns = []
    for _ in range(4):
        turns.append(sites.role(session, 0.0))
        sites.leader_failed(session)

    assert turns == [Role.LEAD, Role.LEAD, Role.LEAD, Role.ALONE]
    sites.opened(session, 5.0)
    assert sites.role(session, 0.0) is Role.AGAIN


def test_a_captcha_on_a_page_asked_for_after_another_was_let_in_says_page_by_page() -> None:
    sites, session = opened()

    assert sites.role(session, 6.0) is Role.ALONE
    assert sites.role(sites.session(SITE, OTHER), 6.0) is Role.ALONE
    assert sites.role(sites.session("example.org", "jar"), 6.0) is Role.LEAD


@pytest.mark.parametrize("scope", [Scope.AUTO, Scope.SITE])
def test_a_page_asked_for_before_that_may_be_open_by_now(scope: Scope) -> None:
    sites, session = opened(scope)

    assert sites.role(session, 4.0) is Role.AGAIN
    assert sites.role(session, -inf) is Role.LEAD


def test_where_solutions_open_pages_no_page_is_asked_for_again_in_vain() -> None:
    sites, session = opened()
    sites.role(session, 6.0)
    sites.opened(session, 7.0)

    assert sites.role(session, 5.0) is Role.ALONE


def test_a_captcha_asked_for_after_the_first_of_several_openings_says_page_by_page() -> None:
    sites, session = opened()
    sites.opened(session, 9.0)

    assert sites.role(session, 6.0) is Role.ALONE


def test_a_captcha_after_free_pages_says_that_the_clearance_has_run_out() -> None:
    sites, session = opened()
    sites.came_free(session, 6.0)

    assert [sites.role(session, 7.0) for _ in range(2)] == [Role.LEAD, Role.FOLLOW]
    sites.opened(session, 9.0)
    assert sites.role(session, 8.0) is Role.AGAIN


def test_free_pages_that_were_asked_for_before_the_opening_say_nothing() -> None:
    sites, session = opened()
    sites.came_free(session, 4.0)

    assert sites.role(session, 7.0) is Role.ALONE


def test_what_solutions_open_is_unlearned_in_two_steps() -> None:
    sites, session = opened()
    sites.opened_to_all(SITE)
    assert sites.scope(SITE) is Scope.SITE

    assert sites.role(session, 6.0) is Role.LEAD
    sites.opened(session, 9.0)
    assert sites.role(session, 10.0) is Role.ALONE
    assert sites.scope(SITE) is Scope.PAGE


def by_page(times: int) -> tuple[Sites, Session]:
    """A site that was found out *times* times to open page by page."""
    sites, session = opened()
    sites.role(session, 6.0)
    for _ in range(times - 1):
        unlearn(sites, session, free=1000)
        sites.left(session)
        sites.opened(session, 10.0)
        sites.role(session, 12.0)
    assert sites.scope(SITE) is Scope.PAGE
    return sites, session


def unlearn(sites: Sites, session: Session, *, free: int) -> Role:
    sites.opened(session, 10.0)
    for _ in range(free):
        sites.came_free(session, 11.0)
    return sites.role(session, 12.0)


@pytest.mark.parametrize(("times", "enough"), [(1, 10), (2, 20), (3, 40)])
def test_ever_more_free_pages_say_that_it_is_not_page_by_page(times: int, enough: int) -> None:
    assert unlearn(*by_page(times), free=enough - 1) is Role.ALONE
    assert unlearn(*by_page(times), free=enough) is Role.LEAD


def test_what_is_set_is_not_learned_otherwise() -> None:
    sites, session = opened(Scope.SITE)

    assert [sites.role(session, 6.0) for _ in range(2)] == [Role.LEAD, Role.FOLLOW]


def led(scope: Scope = Scope.AUTO, *, captchas: int) -> tuple[Sites, Session]:
    sites, session = begun(scope)
    sites.role(session, 0.0)
    for _ in range(captchas - 1):
        sites.captcha_shown(session, 0.0, one_visit=False)
    return sites, session


@pytest.mark.parametrize("scope", [Scope.SITE, Scope.AUTO])
def test_where_solutions_open_the_site_a_led_session_of_captchas_only_is_shut(scope: Scope) -> None:
    sites, session = led(scope, captchas=3)
    sites.opened_to_all(SITE)

    assert sites.holds_new_back(session)
    assert not sites.holds_new_back(sites.session(SITE, OTHER))


def test_two_captchas_in_a_row_say_too_little() -> None:
    sites, session = led(Scope.SITE, captchas=2)

    assert not sites.holds_new_back(session)


def test_a_free_page_in_between_says_that_the_session_is_not_shut() -> None:
    sites, session = led(Scope.SITE, captchas=3)
    sites.came_free(session, 1.0)

    assert not sites.holds_new_back(session)


def test_a_session_that_nobody_leads_is_not_shut() -> None:
    sites, session = led(Scope.SITE, captchas=3)
    sites.left(session)

    assert not sites.holds_new_back(session)


def test_nothing_crosses_a_solution_on_its_way_until_that_is_known_to_do_no_harm() -> None:
    sites, session = led(captchas=1)
    assert not sites.holds_new_back(session)
    session.sends = True
    assert sites.holds_new_back(session)

    sites.opened_to_all(SITE)
    assert not sites.holds_new_back(session)


def test_nothing_crosses_a_captcha_that_is_good_for_one_visit() -> None:
    sites, session = begun(manner=Manner.VISITS)
    sites.role(session, 0.0)

    assert sites.holds_new_back(session)


def fly(sites: Sites, session: Session, name: str, *, shown_at: float = 0.0) -> None:
    sites.bought(session, name, shown_at)
    sites.solution_sent(session, name, 1.0)


def test_an_answer_that_is_the_page_and_sets_no_cookie_is_left_to_itself() -> None:
    sites, session = begun()
    fly(sites, session, "a")
    sites.delivered(session, "a", sets_cookie=True, at_gate=False)
    sites.answers_with_page(session, "a")
    assert sites.manner(session) is Manner.TURNS

    sites.delivered(session, "a", sets_cookie=False, at_gate=False)
    sites.answers_with_page(session, "a")
    assert sites.manner(session) is Manner.APART


def test_two_rejections_that_other_captchas_may_have_caused_make_visits_of_their_own() -> None:
    sites, session = begun()
    sites.captcha_shown(session, 1.0, one_visit=False)
    for name in ("a", "b"):
        assert sites.manner(session) is Manner.TURNS
        fly(sites, session, name)
        assert sites.count_rejection(session, name) == 0

    assert sites.manner(session) is Manner.VISITS


def test_where_that_changes_nothing_it_was_not_our_doing() -> None:
    sites, session = begun()
    sites.captcha_shown(session, 1.0, one_visit=False)
    for name in ("a", "b"):
        fly(sites, session, name)
        sites.count_rejection(session, name)
    fly(sites, session, "c", shown_at=1.0)

    assert sites.count_rejection(session, "c") == 3
    assert sites.manner(session) is Manner.TURNS
    fly(sites, session, "d")
    assert sites.count_rejection(session, "d") == 1


def test_what_was_accepted_though_another_captcha_was_shown_tells_that_this_does_no_harm() -> None:
    sites, session = begun()
    sites.captcha_shown(session, 1.0, one_visit=False)
    fly(sites, session, "a")
    sites.solution_accepted(session, "a")
    fly(sites, session, "b")

    assert sites.count_rejection(session, "b") == 1


def test_solutions_that_cross_one_another_are_sent_in_turns_once_two_were_rejected() -> None:
    sites, session = begun()
    fly(sites, session, "page")
    sites.answers_with_page(session, "page")
    sites.solution_accepted(session, "page")
    for name in ("a", "b", "c"):
        fly(sites, session, name)

    assert [sites.count_rejection(session, name) for name in ("a", "b", "c")] == [0, 0, 0]
    assert sites.manner(session) is Manner.TURNS


def test_a_rejection_with_nothing_beside_it_is_the_sites() -> None:
    sites, session = begun()
    fly(sites, session, "a")

    assert sites.count_rejection(session, "a") == 1


def test_a_crawl_over_many_sites_keeps_what_was_used_last() -> None:
    sites = Sites(Scope.AUTO)
    busy = sites.session("busy.example", "busy")
    sites.lead(busy)
    for number in range(11_000):
        sites.session(f"{number}.example", f"{number}")

    assert sites.known("0") is None
    assert sites.known("10999") is not None
    assert sites.known("busy") is busy
