"""``scrapy captcha solve``: fetches one page behind a captcha, through the crawl's middleware."""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.crawler import AsyncCrawlerProcess
from scrapy.exceptions import NotConfigured

from scrapy_captcha.commands.arguments import parser_of
from scrapy_captcha.commands.detect import WEB
from scrapy_captcha.commands.project import settings_of_crawl
from scrapy_captcha.commands.solving import Ending, SolvingSpider
from scrapy_captcha.commands.steps import LogSteps, StepPrinter
from scrapy_captcha.commands.visits import settings_of_visit
from scrapy_captcha.money import micros, shown
from scrapy_captcha.settings.choices import GiveUp
from scrapy_captcha.settings.config import Config
from scrapy_captcha.solver.accounts import accounts_of

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from scrapy.settings import BaseSettings, Settings
    from scrapy.statscollectors import StatsCollector

    from scrapy_captcha.commands.offers import Offer

_ABOUT = (
    "Fetch one page as a crawl does. If it shows a captcha instead, print what a solution "
    "costs, ask whether to buy it, and go on to the page, step by step. At most one solution "
    "is bought, for the domain of the URL and, where CAPTCHA_DOMAINS is set, only if it is in that."
)
_EXIT_CODES = (
    "The exit code is 0 when the page has come, 1 when it has not, 2 when the command is wrong."
)
_LOG = "scrapy_captcha.reporting.log"


def run(settings: BaseSettings, arguments: Sequence[str]) -> int:
    """Get the page, or print why it does not come; the exit code."""
    options = _options(arguments)
    try:
        own = _settings(settings)
        config = Config.from_settings(settings_of_crawl(own))
        accounts_of(config)
    except (NotConfigured, ValueError) as error:
        words = str(error) or "CAPTCHA_ENABLED = False: remove it"
        sys.stderr.write(f"scrapy captcha solve: {words}\n")
        return 1
    _at_most_one(own, config)
    ending = _crawl(own, options, config)
    if ending.page is not None and options.output:
        Path(options.output).write_bytes(ending.page.body)
    return 0 if ending.page is not None else 1


def _options(arguments: Sequence[str]) -> Namespace:
    parser = parser_of("solve", _ABOUT, _EXIT_CODES)
    parser.add_argument("url", metavar="URL", help="of the page, http or https")
    parser.add_argument("--yes", action="store_true", help="buy without asking")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the body of the page there")
    options = parser.parse_args(arguments)
    if not options.url.startswith(WEB):
        parser.error(f"{options.url} is no URL: did you mean https://{options.url}?")
    if options.output and not _is_writable(Path(options.output)):
        parser.error(f"{options.output} cannot be written")
    return options


def _is_writable(path: Path) -> bool:
    return os.access(path if path.exists() else path.parent, os.W_OK) and not path.is_dir()


def _settings(settings: BaseSettings) -> Settings:
    own = settings_of_visit(settings)
    own.set("ADDONS", {"scrapy_captcha.Addon": 500, **own.getdict("ADDONS")}, priority="cmdline")
    return own


def _at_most_one(own: Settings, config: Config) -> None:
    """Limits the purchase to the one agreed to, and counts only the page behind the captcha."""
    most = 1 if config.max_solves is None else min(1, config.max_solves)
    own.set("CAPTCHA_MAX_SOLVES", most, priority="cmdline")
    own.set("CAPTCHA_ON_GIVE_UP", GiveUp.DROP.value, priority="cmdline")


def _crawl(own: Settings, options: Namespace, config: Config) -> Ending:
    steps, ending = StepPrinter(), Ending()
    handler, logger = LogSteps(steps), logging.getLogger(_LOG)
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    process = AsyncCrawlerProcess(own)
    crawler = process.create_crawler(SolvingSpider)

    def agree(offer: Offer) -> bool:
        return options.yes or _has_agreed(offer, steps)

    process.crawl(crawler, url=options.url, config=config, steps=steps, agree=agree, ending=ending)
    process.start()
    logger.removeHandler(handler)
    assert crawler.stats is not None  # noqa: S101 - it has crawled
    steps.tell(f"{ending.words}; {_spent(crawler.stats)}")
    return ending


def _spent(stats: StatsCollector) -> str:
    spent = micros(stats.get_value("captcha/spent", 0))
    if stats.get_value("captcha/task_count", 0) and not spent:
        return "the task may be charged all the same"
    return f"spent {shown(spent)}"


def _has_agreed(offer: Offer, steps: StepPrinter) -> bool:
    if not sys.stdin.isatty():
        steps.tell("there is no terminal to ask at: with --yes it is bought without asking")
        return False
    # Nothing else runs meanwhile that this could block. Scrapy's handler would make Ctrl-C wait
    # for the answer.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        answer = input(f"Solve it for about {shown(offer.price)}? [y/N] ")
    except (EOFError, KeyboardInterrupt):
        sys.stdout.write("\n")
        return False
    finally:
        signal.signal(signal.SIGINT, before)
    return answer.strip().lower() in {"y", "yes"}
