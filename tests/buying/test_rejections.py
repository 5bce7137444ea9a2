"""When a site counts as a wall."""

from __future__ import annotations

from scrapy_captcha.buying.rejections import Rejections

SITE, OTHER = "example.com", "example.org"


def rejected(times: int, rejections: Rejections | None = None) -> Rejections:
    rejections = rejections or Rejections()
    for _ in range(times):
        rejections.count_against(SITE, now=0.0)
    return rejections


def test_the_twelfth_rejection_in_a_row_makes_a_wall_and_says_so_once() -> None:
    rejections = rejected(11)
    assert rejections.reason_not_to_buy(SITE, 0.0) is None

    assert rejections.count_against(SITE, now=0.0)
    assert rejections.reason_not_to_buy(SITE, 0.0) == "wall"
    assert not rejections.count_against(SITE, now=1.0)


def test_other_sites_are_untouched() -> None:
    rejections = rejected(12)

    assert rejections.reason_not_to_buy(OTHER, 0.0) is None
    assert not rejections.is_doubtful(OTHER)


def test_after_three_a_site_is_doubtful() -> None:
    rejections = rejected(2)
    assert not rejections.is_doubtful(SITE)

    assert rejected(1, rejections).is_doubtful(SITE)


def test_an_accepted_solution_clears_the_site() -> None:
    rejections = rejected(12)
    rejections.forgive(SITE)

    assert rejections.reason_not_to_buy(SITE, 0.0) is None
    assert not rejections.is_doubtful(SITE)


def test_a_site_that_rejects_every_first_solution_is_no_wall() -> None:
    rejections = Rejections()
    for _ in range(50):
        assert not rejections.count_against(SITE, now=0.0)
        rejections.forgive(SITE)


def test_a_wall_is_tried_again_after_a_while_and_stands_after_one_more_rejection() -> None:
    rejections = rejected(12)
    later = 10_000.0

    assert rejections.reason_not_to_buy(SITE, later) is None
    assert rejections.count_against(SITE, later)
    assert rejections.reason_not_to_buy(SITE, later) == "wall"


def test_the_third_in_a_row_that_cannot_be_sent_ends_buying_for_a_while() -> None:
    rejections = Rejections()
    assert [rejections.undelivered(SITE, 0.0) for _ in range(4)] == [False, False, True, False]
    assert rejections.reason_not_to_buy(SITE, 1.0) == "undelivered"
    assert rejections.reason_not_to_buy(SITE, 10_000.0) is None
    assert rejections.reason_not_to_buy(OTHER, 1.0) is None


def test_after_one_that_could_not_be_sent_one_at_a_time_is_enough() -> None:
    rejections = Rejections()
    rejections.undelivered(SITE, 0.0)
    assert rejections.is_doubtful(SITE)


def test_any_answer_shows_that_solutions_arrive() -> None:
    for answered in ("count_against", "undecided", "forgive"):
        rejections = Rejections()
        for _ in range(2):
            rejections.undelivered(SITE, 0.0)
        if answered == "count_against":
            rejections.count_against(SITE, 0.0)
        else:
            getattr(rejections, answered)(SITE)
        assert not rejections.undelivered(SITE, 0.0)
        assert rejections.reason_not_to_buy(SITE, 0.0) is None


def test_a_million_sites_need_no_more_room_than_some() -> None:
    rejections = Rejections()
    for number in range(10_000):
        rejections.count_against(f"{number}.example", 0.0)
    assert len(rejections._sites) == 4096
