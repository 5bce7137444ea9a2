"""When a site counts as a wall."""

from __future__ import annotations

from scrapy_captcha.rejections import Rejections

SITE, OTHER = "example.com", "example.org"


def rejected(times: int, rejections: Rejections | None = None) -> Rejections:
    rejections = rejections or Rejections()
    for _ in range(times):
        rejections.rejected(SITE, now=0.0)
    return rejections


def test_the_twelfth_rejection_in_a_row_makes_a_wall_and_says_so_once() -> None:
    rejections = rejected(11)
    assert not rejections.is_wall(SITE, now=0.0)

    assert rejections.rejected(SITE, now=0.0)
    assert rejections.is_wall(SITE, now=0.0)
    assert not rejections.rejected(SITE, now=1.0)


def test_other_sites_are_untouched() -> None:
    rejections = rejected(12)

    assert not rejections.is_wall(OTHER, now=0.0)
    assert not rejections.is_doubtful(OTHER)


def test_after_three_a_site_is_doubtful() -> None:
    rejections = rejected(2)
    assert not rejections.is_doubtful(SITE)

    assert rejected(1, rejections).is_doubtful(SITE)


def test_an_accepted_solution_clears_the_site() -> None:
    rejections = rejected(12)
    rejections.accepted(SITE)

    assert not rejections.is_wall(SITE, now=0.0)
    assert not rejections.is_doubtful(SITE)


def test_a_site_that_rejects_every_first_solution_is_no_wall() -> None:
    rejections = Rejections()
    for _ in range(50):
        assert not rejections.rejected(SITE, now=0.0)
        rejections.accepted(SITE)


def test_a_wall_is_tried_again_after_a_while_and_stands_after_one_more_rejection() -> None:
    rejections = rejected(12)
    later = 10_000.0

    assert not rejections.is_wall(SITE, later)
    assert rejections.rejected(SITE, later)
    assert rejections.is_wall(SITE, later)
