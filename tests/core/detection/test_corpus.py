"""Detection measured on real pages, where a corpus of them lies beside the project."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scrapy_captcha.detection import HtmlPage, Verdict, detect

if TYPE_CHECKING:
    from scrapy_captcha.detection import Detection

CORPUS = Path(__file__).parents[4] / "shared" / "corpus"

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(not (CORPUS / "manifest.jsonl").exists(), reason="the corpus is not here"),
]

# The corpus's words for what we call otherwise; what they leave open counts as right.
KINDS = {
    "recaptcha_v2_invisible": {"recaptcha_v2"},
    "recaptcha_enterprise": {"recaptcha_v2_enterprise", "recaptcha_v3_enterprise"},
    "aws_waf": {"amazon_waf"},
    "other": {"yandex_smartcaptcha", "friendly_captcha"},
}


@cache
def results() -> list[tuple[dict[str, Any], Detection | None]]:
    rows = []
    for line in (CORPUS / "manifest.jsonl").read_text().splitlines():
        entry = json.loads(line)
        url = entry["url"] or ""
        page = HtmlPage(
            url if url.startswith("http") else "https://shop.example/",
            gzip.decompress((CORPUS / entry["file"]).read_bytes()),
            entry["status"],
            entry["headers"],
        )
        rows.append((entry, detect(page)))
    return rows


def verdicts(label: str) -> list[Verdict | None]:
    found = [found for entry, found in results() if entry["class"] == label]
    return [one.verdict if one else None for one in found]


def share(right: list[bool]) -> float:
    return sum(right) / len(right)


def test_challenges_are_called_challenge_or_named() -> None:
    called = [one in (Verdict.CHALLENGE, Verdict.BLOCK) for one in verdicts("challenge")]
    assert share(called) >= 0.97


@pytest.mark.parametrize(("label", "most"), [("negative", 0.001), ("widget", 0.005), ("block", 0)])
def test_other_pages_are_hardly_ever_called_challenge(label: str, most: float) -> None:
    assert share([one is Verdict.CHALLENGE for one in verdicts(label)]) <= most


def test_kinds_are_right() -> None:
    right = []
    for entry, found in results():
        if found and found.captcha and entry["class"] != "negative":
            label = entry["inner"] if entry["kind"] == "cloudflare_challenge" else entry["kind"]
            right.append(found.captcha.kind.value in KINDS.get(label, {label}))
    assert share(right) >= 0.97


def test_site_keys_are_right() -> None:
    right = [
        found.captcha.site_key in entry["sitekeys"]
        for entry, found in results()
        if found and found.captcha and entry["sitekeys"]
    ]
    assert share(right) >= 0.98
