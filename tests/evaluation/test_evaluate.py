"""``python -m evaluation``, on the pages of these tests and on real ones."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from scrapy.settings import Settings

from evaluation.__main__ import read_outcomes
from evaluation.__main__ import run as run_evaluate
from evaluation.scoring import MEASURES, by_group

if TYPE_CHECKING:
    from evaluation.scoring import Measure, Outcome

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "tests" / "pages"
CORPUS = ROOT.parent / "shared" / "corpus" / "manifest.jsonl"


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


def test_the_figures_of_a_corpus_are_printed_as_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
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


def test_the_detectors_of_the_project_are_measured(tmp_path: Path) -> None:
    (tmp_path / "scrapy.cfg").write_text("[settings]\ndefault = project\n")
    (tmp_path / "project.py").write_text("CAPTCHA_DETECTORS = {'widgets': None}\n")
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "evaluation", "--json", str(corpus(tmp_path))],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["confusion"]["challenge"]["nothing"] > 5


def test_a_wrong_setting_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_evaluate(Settings({"CAPTCHA_DETECTORS": {"widget": None}}), ["manifest"]) == 2
    assert "did you mean widgets?" in capsys.readouterr().err


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
