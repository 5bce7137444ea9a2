"""Detection measured on a corpus of labelled pages: ``python -m evaluation MANIFEST``.

It reads the settings of the Scrapy project in the current directory, if any.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.utils.project import get_project_settings

from evaluation.labels import Label
from evaluation.scoring import (
    CALLED,
    MEASURES,
    Outcome,
    by_group,
    confusion,
    worst,
)
from scrapy_captcha.commands.saved import UNKNOWN_URL, read_body
from scrapy_captcha.detection import HtmlPage, detect
from scrapy_captcha.requests import site_of
from scrapy_captcha.settings.config import Config
from scrapy_captcha.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scrapy.settings import BaseSettings

    from evaluation.scoring import Measure
    from scrapy_captcha.detection import Detection, Page

_ABOUT = """
Measure detection on labelled pages: how the pages of each class were classified, and the shares
that are right, each with its target. A line of the manifest is a JSON object: "file"
(relative to the manifest, may be gzipped) and "class" (challenge, block, widget or negative); where
known also "kind", "inner", "solve" (captcha or js), "sitekeys", "url", "status", "headers" and
"source_repo".
"""
_EXIT_CODES = "The exit code is 0 when each target is met, 1 when one is not, 2 for an error."
_CLASS = "{:12}" + "{:>11}" * len(CALLED)
_FIGURE = "{:38}{:>10}{:>11}  {:<10}{:>8}{:>12}{:>16}"


def run(settings: BaseSettings, arguments: Sequence[str]) -> int:
    """Classify each labelled page by *settings*, and print how far that agrees; the exit code."""
    parser = ArgumentParser("python -m evaluation", description=_ABOUT, epilog=_EXIT_CODES)
    parser.add_argument("manifest", type=Path, help="the labels, one JSON object on each line")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    parser.add_argument("--verbose", action="store_true", help="list the pages that were wrong")
    options = parser.parse_args(arguments)
    try:
        outcomes = read_outcomes(options.manifest, Config.read(settings).detect)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"evaluation: {error}\n")
        return 2
    if options.json:
        sys.stdout.write(json.dumps(_as_json(outcomes)) + "\n")
    else:
        wrong = map(printable, _wrong(outcomes)) if options.verbose else ()
        lines = [*_tables(outcomes), *wrong]
        sys.stdout.write("\n".join(lines) + "\n")
    return 0 if all(measure.met(measure.share(outcomes)) for measure in MEASURES) else 1


def read_outcomes(
    manifest: Path, detect: Callable[[Page], Detection | None] = detect
) -> list[Outcome]:
    """The verdict of *detect* on each page of *manifest*; OSError, ValueError if it is invalid."""
    outcomes = []
    for number, line in enumerate(manifest.read_text(encoding="utf-8-sig").splitlines(), 1):
        try:
            outcomes += [_outcome(line, manifest.parent, detect)] if line.strip() else []
        except (OSError, ValueError) as error:
            raise ValueError(f"{manifest}, line {number}: {error}") from error
    if not outcomes:
        raise ValueError(f"{manifest}: no labels")
    return outcomes


def _outcome(line: str, folder: Path, detect: Callable[[Page], Detection | None]) -> Outcome:
    label = Label.from_json(line)
    body = read_body(folder / label.file)
    page = HtmlPage(_url(label) or UNKNOWN_URL, body, label.status, label.headers)
    group = _group(label)
    try:
        return Outcome(label, detect(page), group)
    except Exception as error:
        raise ValueError(f"a detector raises {error!r}") from error


def _url(label: Label) -> str | None:
    return label.url if label.url and label.url.startswith(("http://", "https://")) else None


def _group(label: Label) -> str:
    """The group of *label*, whose pages are alike: its site, or its source if that is unknown."""
    url = _url(label)
    return site_of(urlsplit(url).hostname or "") if url else label.source or label.file


def _tables(outcomes: list[Outcome]) -> list[str]:
    lines = [_CLASS.format("labelled", *(f"as {word}" for word in CALLED))]
    for name, row in confusion(outcomes).items():
        lines.append(_CLASS.format(name, *(row[word] for word in CALLED)))
    lines += [
        "",
        _FIGURE.format("", "pages", "share", "target", "groups", "their mean", "one left out"),
    ]
    lines += [_figure(measure, outcomes) for measure in MEASURES]
    return lines


def _figure(measure: Measure, outcomes: list[Outcome]) -> str:
    share, spread = measure.share(outcomes), by_group(measure, outcomes)
    sign = "<=" if measure.at_most else ">="
    return _FIGURE.format(
        measure.name,
        f"{share.count}/{share.of}",
        "-" if share.value is None else f"{share.value:.4f}",
        f"{sign} {measure.target:g}" + ("" if measure.met(share) else " !"),
        spread.groups if spread else "-",
        f"{spread.mean:.4f}" if spread else "-",
        f"{spread.worst:.4f}" if spread else "-",
    ).rstrip()


def _wrong(outcomes: list[Outcome]) -> list[str]:
    lines = [""]
    for outcome, name in worst(outcomes):
        label, found = outcome.label, outcome.found
        lines += [
            f"{label.file}: not right for: {name}",
            f"    labelled {label.page_class}, {label.kind}, {list(label.site_keys)}",
            f"    called {outcome.called}" + (f", {found.name}" if found else ""),
            *(f"    {words}" for words in (found.evidence if found else ())),
        ]
    return lines


def _as_json(outcomes: list[Outcome]) -> dict[str, object]:
    figures = {}
    for measure in MEASURES:
        share, spread = measure.share(outcomes), by_group(measure, outcomes)
        figures[measure.name] = {
            **asdict(share),
            "share": share.value,
            "target": measure.target,
            "met": measure.met(share),
            "by_group": asdict(spread) if spread else None,
        }
    wrong = [{"file": one.label.file, "wrong": name} for one, name in worst(outcomes)]
    return {"confusion": confusion(outcomes), "figures": figures, "wrong": wrong}


if __name__ == "__main__":
    sys.exit(run(get_project_settings(), sys.argv[1:]))
