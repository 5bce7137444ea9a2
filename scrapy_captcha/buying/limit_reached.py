"""Which limit keeps purchases from being made, in the words of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy_captcha.buying.ledger import BudgetAnswer
from scrapy_captcha.events import LimitReached
from scrapy_captcha.money import shown
from scrapy_captcha.settings.config import PREFIX

if TYPE_CHECKING:
    from scrapy_captcha.money import Micros
    from scrapy_captcha.settings.config import Config

_LIMITS = {
    BudgetAnswer.BUDGET: ("max_solves", "budget"),
    BudgetAnswer.BUDGET_HERE: (
        "max_solves_per_site",
        "budget_per_site",
        "max_solves_per_hour",
        "budget_per_hour",
    ),
    BudgetAnswer.LOSS: ("max_loss_per_site",),
    BudgetAnswer.PER_PAGE: ("max_solves_per_page",),
}


def limit_reached(answer: BudgetAnswer, site: str, lost: Micros, config: Config) -> LimitReached:
    """The event for *answer* to a purchase at *site*, where *lost* brought no page."""
    reached = f"{_with_values(answer, config)} is reached"
    words = {
        BudgetAnswer.BUDGET: (reached, "in this crawl"),
        BudgetAnswer.BUDGET_HERE: (reached, f"at {site} for now"),
        BudgetAnswer.LOSS: (
            f"{reached}, {shown(lost)} was spent there without a page for it",
            f"at {site}",
        ),
        BudgetAnswer.PER_PAGE: (
            f"{reached} by what its pages took",
            f"at {site} for ten minutes",
        ),
    }
    return LimitReached(*words[answer])


def _with_values(answer: BudgetAnswer, config: Config) -> str:
    """The settings that *answer* may be about, with their values."""
    values = {name: getattr(config, name) for name in _LIMITS[answer]}
    return " or ".join(
        f"{PREFIX}{name.upper()} = {value if 'solves' in name else shown(value)}"
        for name, value in values.items()
        if value is not None
    )
