"""The figures of an evaluation are those that can be counted by hand."""

from __future__ import annotations

import json

import pytest

from evaluation.labels import Label
from evaluation.scoring import (
    MEASURES,
    Outcome,
    Share,
    Spread,
    by_group,
    confusion,
    worst,
)
from scrapy_captcha.detection import Detection, Verdict
from scrapy_captcha.models import Captcha, Kind

URL = "https://shop.example/"
MEASURE = {measure.name: measure for measure in MEASURES}
SOLVED = MEASURE["solvable challenges called challenge"]
ALARMS = MEASURE["negatives called challenge"]


def label(page_class: str, kind: str | None = None, **more: object) -> Label:
    entry = {"file": f"{page_class}.html", "class": page_class, "kind": kind, **more}
    return Label.from_json(json.dumps(entry))


def found(verdict: Verdict, kind: Kind | None = None, key: str | None = None) -> Detection:
    captcha = Captcha(kind, URL, key) if kind else None
    return Detection(verdict, kind.value if kind else "wall", captcha, ("words",), 0.9)


CHALLENGE = found(Verdict.CHALLENGE, Kind.HCAPTCHA, "key-of-hcaptcha")
HCAPTCHA = label("challenge", "hcaptcha", solve="captcha", sitekeys=["key-of-hcaptcha"])
OUTCOMES = [
    Outcome(HCAPTCHA, CHALLENGE, "a"),
    Outcome(HCAPTCHA, CHALLENGE, "a"),
    Outcome(HCAPTCHA, None, "b"),
    Outcome(label("challenge", solve="js"), found(Verdict.BLOCK), "b"),
    Outcome(label("negative", "none"), CHALLENGE, "a"),
    Outcome(label("negative", "none"), None, "a"),
    Outcome(label("negative", "none"), None, "b"),
    Outcome(label("widget", "turnstile", sitekeys=["1x0"]), found(Verdict.WIDGET, Kind.HCAPTCHA)),
]
SHARES = {
    "solvable challenges called challenge": Share(2, 3),
    "challenges called challenge or block": Share(3, 4),
    "negatives called challenge": Share(1, 3),
    "widgets called challenge": Share(0, 1),
    "blocks called challenge": Share(0, 0),
    "kinds right": Share(2, 3),
    "site keys right": Share(2, 3),
}


@pytest.mark.parametrize("name", MEASURE)
def test_each_measure_counts_its_pages(name: str) -> None:
    assert MEASURE[name].share(OUTCOMES) == SHARES[name]


def test_a_target_is_met_from_its_side() -> None:
    assert SOLVED.met(Share(97, 100))
    assert not SOLVED.met(Share(96, 100))
    assert ALARMS.met(Share(1, 1000))
    assert not ALARMS.met(Share(2, 1000))


def test_where_there_are_no_pages_there_is_no_share_and_nothing_missed() -> None:
    assert Share(0, 0).value is None
    assert all(measure.met(measure.share([])) for measure in MEASURES)


def test_the_confusion_table_has_a_row_for_each_class() -> None:
    assert confusion(OUTCOMES) == {
        "challenge": {"challenge": 2, "block": 1, "nothing": 1},
        "block": {},
        "widget": {"widget": 1},
        "negative": {"challenge": 1, "nothing": 2},
    }


def test_groups_count_alike_and_the_best_of_them_is_left_out() -> None:
    assert by_group(SOLVED, OUTCOMES) == Spread(groups=2, mean=0.5, worst=0.0)
    assert by_group(ALARMS, OUTCOMES) == Spread(groups=2, mean=0.25, worst=0.5)


def test_one_group_alone_tells_nothing_about_others() -> None:
    assert by_group(SOLVED, OUTCOMES[:2]) is None


def test_the_wrong_pages_come_in_the_order_of_the_measures() -> None:
    assert [(one.label.page_class, name) for one, name in worst(OUTCOMES)] == [
        ("challenge", "solvable challenges called challenge"),
        ("negative", "negatives called challenge"),
        ("widget", "kinds right"),
    ]


@pytest.mark.parametrize(
    ("kind", "inner", "ours"),
    [
        ("hcaptcha", None, Kind.HCAPTCHA),
        ("recaptcha_v2_invisible", None, Kind.RECAPTCHA_V2),
        ("recaptcha_enterprise", None, Kind.RECAPTCHA_V2_ENTERPRISE),
        ("recaptcha_enterprise", None, Kind.RECAPTCHA_V3_ENTERPRISE),
        ("aws_waf", None, Kind.AMAZON_WAF),
        ("other", None, Kind.FRIENDLY_CAPTCHA),
        ("other", "imperva_hcaptcha", Kind.IMPERVA),
        ("cloudflare_challenge", "recaptcha_v2", Kind.RECAPTCHA_V2),
        ("cloudflare_challenge", "recaptcha_v2", Kind.CLOUDFLARE_CHALLENGE),
        ("funcaptcha", "perimeterx", Kind.PERIMETERX),
    ],
)
def test_a_kind_is_right_under_each_of_its_names(kind: str, inner: str | None, ours: Kind) -> None:
    outcome = Outcome(label("challenge", kind, inner=inner), found(Verdict.CHALLENGE, ours))
    assert outcome.kind_right
    assert not Outcome(label("challenge", "mtcaptcha"), outcome.found).kind_right
