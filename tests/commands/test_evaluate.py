"""``scrapy captcha evaluate``, on the pages of these tests and on real ones."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from scrapy.settings import Settings

from scrapy_captcha.commands.evaluate import read_outcomes
from scrapy_captcha.commands.evaluate import run as run_evaluate
from scrapy_captcha.detection.scoring import MEASURES, by_group

if TYPE_CHECKING:
    from scrapy_captcha.detection.scoring import Measure, Outcome

PAGES = Path(__file__).parents[1] / "pages"
CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "manifest.jsonl"


def corpus(directory: Path, **wrong: str) -> Path:
    rows = []
    for path in sorted(PAGES.glob("*.html")):
        shutil.copy(path, directory)
        page_class = path.stem.partition("_")[0].replace("none", "negative")
        row = {
            "file": path.name,
            "class": wrong.get(path.stem, page_class),
            "source_repo": path.stem,
        }
        rows.append(row | ({"solve": "captcha"} if page_class == "challenge" else {}))
    manifest = directory / "manifest.jsonl"
    manifest.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    return manifest


def test_a_corpus_is_told_as_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_evaluate(Settings(), [str(corpus(tmp_path)), "--verbose"])
    out = capsys.readouterr().out
    challenges = len(list(PAGES.glob("challenge_*")))
    assert f"challenge{challenges:>14}          0          0          0\n" in out
    assert f"solvable challenges called challenge{f'{challenges}/{challenges}':>12}" in out
    assert "challenge_amazon.html: not right for: kinds right" in out


def test_a_missed_target_is_an_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = str(corpus(tmp_path, challenge_hcaptcha="negative"))
    assert run_evaluate(Settings(), [manifest, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    alarms = told["figures"]["negatives called challenge"]
    assert (alarms["count"], alarms["met"]) == (1, False)
    assert {"file": "challenge_hcaptcha.html", "wrong": "negatives called challenge"} in told[
        "wrong"
    ]
    assert told["confusion"]["negative"]["challenge"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        '{"file": "no_such", "class": "block"}',
        '{"file": "manifest", "class": "block", "url": "http://[x"}',
    ],
)
def test_a_manifest_that_is_none_is_an_error(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest").write_text(text)
    assert run_evaluate(Settings(), [str(tmp_path / "manifest")]) == 2
    assert run_evaluate(Settings(), [str(tmp_path / "missing")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_detector_that_breaks_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings({"CAPTCHA_DETECTORS": {"own": lambda _: 1 / 0}})
    assert run_evaluate(settings, [str(corpus(tmp_path))]) == 2
    assert "a detector raises ZeroDivisionError" in capsys.readouterr().err


@cache
def outcomes() -> list[Outcome]:
    return read_outcomes(CORPUS)


# Real pages are no part of the project; they are measured where a corpus lies beside it.
@pytest.mark.thorough
@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not here")
@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_targets_are_met_on_real_pages_whichever_site_is_left_out(measure: Measure) -> None:
    share, spread = measure.share(outcomes()), by_group(measure, outcomes())
    assert share.of > 20
    assert measure.met(share), share
    assert spread
    worst = spread.worst
    assert worst <= measure.target if measure.at_most else worst >= measure.target
