"""``scrapy captcha check``: whether a project is ready to have its captchas solved."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from scrapy.crawler import CrawlerRunner
from scrapy.exceptions import NotConfigured
from scrapy.utils.log import configure_logging
from scrapy.utils.reactor import install_reactor

from scrapy_captcha.commands.account_checks import check_balance, check_limits, read_accounts
from scrapy_captcha.commands.arguments import parser_of
from scrapy_captcha.commands.detect import WEB, LookingSpider, settings_of_looking
from scrapy_captcha.commands.findings import Mark, bad, good, warning
from scrapy_captcha.commands.neighbours import check_neighbours
from scrapy_captcha.commands.order import check_order
from scrapy_captcha.commands.page_checks import check_domains, check_page
from scrapy_captcha.commands.project import settings_of_crawl, settings_with, spider_named
from scrapy_captcha.commands.running import run_in_reactor
from scrapy_captcha.commands.visits import REACTOR
from scrapy_captcha.settings.config import PREFIX, Config

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from scrapy import Spider
    from scrapy.settings import BaseSettings, Settings

    from scrapy_captcha.commands.detect import Result
    from scrapy_captcha.commands.findings import Finding
    from scrapy_captcha.solver.accounts import Account

_ABOUT = (
    "Report, a line each, what is right and what is wrong: the settings, the place of the "
    "middleware and its neighbours, accounts and their balances, limits, domains. With a URL, that "
    "page is fetched once, and the report says what would be bought for it. Nothing is bought."
)
_EXIT_CODES = "The exit code is 0 when nothing is wrong, else 1; 2 when the command is."


def run(settings: BaseSettings, arguments: Sequence[str]) -> int:
    """Print a line for each check, in the order in which to fix them; the exit code."""
    options = _options(arguments)
    try:
        spider = spider_named(options.spider, settings) if options.spider else None
    except ValueError as error:
        sys.stderr.write(f"scrapy captcha check: {error}\n")
        return 2
    install_reactor(REACTOR, settings["ASYNCIO_EVENT_LOOP"])
    return run_in_reactor(Check(settings_with(spider, settings), spider, options.url).run())


def _options(arguments: Sequence[str]) -> Namespace:
    parser = parser_of("check", _ABOUT, _EXIT_CODES)
    parser.add_argument("url", nargs="?", metavar="URL", help="a page to check, http or https")
    parser.add_argument(
        "--spider",
        metavar="NAME",
        help="check with the custom_settings and allowed_domains of this spider of the project",
    )
    options = parser.parse_args(arguments)
    if options.url and not options.url.startswith(WEB):
        parser.error(f"{options.url} is no URL: did you mean https://{options.url}?")
    return options


class Check:
    """A check of *settings*, with the custom ones of *spider*, and of the page at *url*."""

    def __init__(self, settings: Settings, spider: type[Spider] | None, url: str | None) -> None:
        self._settings = settings
        self._spider = spider
        self._url = url
        self._is_bad = False

    async def run(self) -> int:
        """Prints all findings; the exit code."""
        try:
            crawled = settings_of_crawl(self._settings)
        except Exception as error:  # noqa: BLE001 - whatever add-ons raise
            self._tell(bad(f"ADDONS: {type(error).__name__}: {error}", "correct or remove it"))
            return 1
        config = self._read(crawled)
        accounts: tuple[Account, ...] = ()
        if config is not None:
            accounts, finding = read_accounts(config)
            self._tell(finding)
        self._tell(*check_order(crawled))
        if config is not None:
            self._tell(*check_neighbours(crawled, config))
            for account in accounts:
                self._tell(await check_balance(account, config))
            self._tell(*check_limits(config), check_domains(config, self._spider))
            await self._visit(config, crawled)
        return 1 if self._is_bad else 0

    def _tell(self, *findings: Finding) -> None:
        for finding in findings:
            self._is_bad |= finding.mark is Mark.BAD
            sys.stdout.write(finding.shown(sys.stdout.encoding or "ascii") + "\n")
        sys.stdout.flush()  # what comes next may take a while

    def _read(self, crawled: Settings) -> Config | None:
        try:
            config = Config.from_settings(crawled)
        except NotConfigured:
            self._tell(bad("settings: CAPTCHA_ENABLED = False", "remove it"))
        except ValueError as error:
            self._tell(bad(f"settings: {error}"))
        else:
            given = sorted(str(name) for name in crawled if str(name).startswith(PREFIX))
            self._tell(good(f"settings: {', '.join(given) or 'all as they are by default'}"))
            return config
        return None

    async def _visit(self, config: Config, crawled: Settings) -> None:
        if self._url is None:
            return
        if hasattr(self._spider, "captcha_detect"):
            self._tell(warning("page: captcha_detect of the spider is not asked here", "crawl it"))
        results: dict[str, Result] = {self._url: "not downloaded"}
        statuses: dict[str, int] = {}
        visiting = settings_of_looking(self._settings)
        configure_logging(visiting)
        spider = {"config": config, "results": results, "statuses": statuses}
        await CrawlerRunner(visiting).crawl(LookingSpider, **spider)
        result, status = results[self._url], statuses.get(self._url, 200)
        if result is None and status >= 400:
            result = f"HTTP status {status}, without a captcha that is known"
        keeps_cookies = crawled.getbool("COOKIES_ENABLED")
        self._tell(check_page(self._url, result, config, self._spider, keeps_cookies=keeps_cookies))
