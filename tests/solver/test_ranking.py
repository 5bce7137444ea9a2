"""Which provider comes first."""

from __future__ import annotations

from scrapy_captcha.models import Kind
from scrapy_captcha.settings.choices import Preference
from scrapy_captcha.solver.ranking import Ranking

V2 = Kind.RECAPTCHA_V2


def test_as_listed_all_cost_the_same() -> None:
    ranking = Ranking(Preference.LISTED)
    ranking.learn_price("dear", V2, 9.0)

    assert ranking.cost("dear", V2, 9.0) == ranking.cost("cheap", V2, 0.1)


def test_the_list_price_counts_until_a_solution_has_told_its_own() -> None:
    ranking = Ranking(Preference.CHEAPEST)
    assert ranking.cost("one", V2, 0.002) == 0.002

    ranking.learn_price("one", V2, 0.004)
    ranking.learn_price("one", V2, 0.002)
    ranking.learn_price("one", V2, None)
    assert ranking.cost("one", V2, 0.002) == 0.003
    assert ranking.cost("one", Kind.HCAPTCHA, 0.002) == 0.002


def test_solutions_that_sites_reject_are_dear() -> None:
    ranking = Ranking(Preference.CHEAPEST)
    for accepted in (True, False, False):
        ranking.judged("one", V2, accepted=accepted)

    assert ranking.cost("one", V2, 0.001) == 0.002
    assert ranking.cost("other", V2, 0.0015) < ranking.cost("one", V2, 0.001)


def test_a_provider_whose_price_nobody_knows_comes_last() -> None:
    ranking = Ranking(Preference.CHEAPEST)

    assert ranking.cost("own", V2, None) > ranking.cost("other", V2, 99.0)
