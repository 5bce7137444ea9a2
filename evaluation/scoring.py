"""Detection measured on labelled pages: what it called them, and the share that was right."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluation.labels import CLASSES
from scrapy_captcha.detection.verdict import Verdict
from scrapy_captcha.models import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from evaluation.labels import Label
    from scrapy_captcha.detection.verdict import Detection

NOTHING = "nothing"
# What a page can be called, in the order of the columns.
CALLED = (*(verdict.value for verdict in Verdict), NOTHING)

# Words of labels for kinds that have other names here, or several.
_KINDS: Mapping[str, frozenset[str]] = {
    "recaptcha_v2_invisible": frozenset({Kind.RECAPTCHA_V2.value}),
    "recaptcha_enterprise": frozenset(
        {Kind.RECAPTCHA_V2_ENTERPRISE.value, Kind.RECAPTCHA_V3_ENTERPRISE.value}
    ),
    "aws_waf": frozenset({Kind.AMAZON_WAF.value}),
    "other": frozenset(
        {
            Kind.ALIYUN_WAF.value,
            Kind.FRIENDLY_CAPTCHA.value,
            Kind.IMPERVA.value,
            Kind.MTCAPTCHA.value,
            Kind.YANDEX_SMARTCAPTCHA.value,
        }
    ),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What detection *found* on a labelled page; *group* is its site or its source."""

    label: Label
    found: Detection | None
    group: str = ""

    @property
    def called(self) -> str:
        """One of `CALLED`."""
        return self.found.verdict.value if self.found else NOTHING

    @property
    def kind_right(self) -> bool:
        """Whether the kind found is the labelled one, or the one inside it."""
        captcha = self.found.captcha if self.found else None
        names = (word for word in (self.label.kind, self.label.inner) if word)
        accepted = frozenset[str]().union(*(_KINDS.get(name, {name}) for name in names))
        return captcha is not None and captcha.kind.value in accepted

    @property
    def key_right(self) -> bool:
        """Whether the site key found is one that the page shows."""
        captcha = self.found.captcha if self.found else None
        return captcha is not None and captcha.site_key in self.label.site_keys

    @property
    def recognised(self) -> bool:
        """Whether a page that holds a captcha was found to."""
        mine = self.label.page_class in ("challenge", "widget")
        return mine and self.found is not None and self.found.captcha is not None


@dataclass(frozen=True, slots=True)
class Measure:
    """A share with its target: of the pages *among*, the share for which *holds* is true."""

    name: str
    target: float
    among: Callable[[Outcome], bool]
    holds: Callable[[Outcome], bool]
    at_most: bool = False

    def wrong(self, outcome: Outcome) -> bool:
        """Whether *outcome* makes the share worse."""
        return self.among(outcome) and self.holds(outcome) is self.at_most

    def share(self, outcomes: Iterable[Outcome]) -> Share:
        """The share in *outcomes*."""
        held = [self.holds(outcome) for outcome in outcomes if self.among(outcome)]
        return Share(sum(held), len(held))

    def met(self, share: Share) -> bool:
        """Whether *share* is as good as it should be; so it is where there are no such pages."""
        value = share.value
        if value is None:
            return True
        return value <= self.target if self.at_most else value >= self.target


@dataclass(frozen=True, slots=True)
class Share:
    """*count* of *of*."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """From 0 to 1, None of none."""
        return self.count / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Spread:
    """A measure by groups, each of which counts as much as another.

    * *mean*: of the groups' shares
    * *worst*: share of the rest, where the group that does it most good is left out
    """

    groups: int
    mean: float
    worst: float


def _of(page_class: str) -> Callable[[Outcome], bool]:
    return lambda outcome: outcome.label.page_class == page_class


def _called(*words: Verdict) -> Callable[[Outcome], bool]:
    return lambda outcome: outcome.called in words


def _solvable(outcome: Outcome) -> bool:
    return outcome.label.page_class == "challenge" and outcome.label.solve == "captcha"


_ALARM = _called(Verdict.CHALLENGE)
MEASURES = (
    Measure("solvable challenges called challenge", 0.97, _solvable, _ALARM),
    Measure(
        "challenges called challenge or block",
        0.97,
        _of("challenge"),
        _called(Verdict.CHALLENGE, Verdict.BLOCK),
    ),
    Measure("negatives called challenge", 0.001, _of("negative"), _ALARM, at_most=True),
    Measure("widgets called challenge", 0.005, _of("widget"), _ALARM, at_most=True),
    Measure("blocks called challenge", 0.0, _of("block"), _ALARM, at_most=True),
    Measure("kinds right", 0.97, lambda one: one.recognised, lambda one: one.kind_right),
    Measure(
        "site keys right",
        0.98,
        lambda one: one.recognised and bool(one.label.site_keys),
        lambda one: one.key_right,
    ),
)


def confusion(outcomes: Iterable[Outcome]) -> Mapping[str, Counter[str]]:
    """How many pages of each class were called what; a row for each of `CLASSES`."""
    table = {page_class: Counter[str]() for page_class in CLASSES}
    for outcome in outcomes:
        table[outcome.label.page_class][outcome.called] += 1
    return table


def by_group(measure: Measure, outcomes: Sequence[Outcome]) -> Spread | None:
    """*measure* over the groups of *outcomes*; None where fewer than two have such pages.

    The rules are not fitted to any group, so that each is as good as left out when they were made.
    """
    groups: dict[str, list[bool]] = {}
    for outcome in filter(measure.among, outcomes):
        groups.setdefault(outcome.group, []).append(measure.holds(outcome))
    if len(groups) < 2:
        return None
    held, of = sum(map(sum, groups.values())), sum(map(len, groups.values()))
    means = [sum(group) / len(group) for group in groups.values()]
    rests = [(held - sum(group)) / (of - len(group)) for group in groups.values()]
    return Spread(
        len(groups), sum(means) / len(means), max(rests) if measure.at_most else min(rests)
    )


def worst(outcomes: Iterable[Outcome]) -> list[tuple[Outcome, str]]:
    """The pages that make a measure worse, each with the name of the first that it does."""
    found = []
    for outcome in outcomes:
        names = [measure.name for measure in MEASURES if measure.wrong(outcome)]
        if names:
            found.append((outcome, names[0]))
    return sorted(found, key=lambda one: [m.name for m in MEASURES].index(one[1]))
