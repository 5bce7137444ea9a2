"""Crawls of single pages, on the side of a project's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from scrapy.settings import SETTINGS_PRIORITIES

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings, Settings

# That of Scrapy's own commands; a project may have another for its crawls.
REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"

# Nothing is to change the project's files, nor to show a page of yesterday.
_OTHERWISE = {
    "CAPTCHA_DROPPED_FEED": "",
    "CAPTCHA_REPORT": "",
    "FEEDS": {},
    "HTTPCACHE_ENABLED": False,
    "ITEM_PIPELINES": {},
    "JOBDIR": None,
    "TELNETCONSOLE_ENABLED": False,
    "TWISTED_REACTOR": REACTOR,
}

# Of pages: redirects are followed, and lead to others.
STATUSES = tuple(set(range(200, 600)) - {301, 302, 303, 307, 308})


def settings_of_visit(settings: BaseSettings) -> Settings:
    """*settings* for a crawl of a page or a few that leaves no trace in the project.

    Nothing is logged unless the command line asks for it: errors are told in other words.
    """
    own = cast("Settings", settings.copy())
    own.setdict(_OTHERWISE, priority="cmdline")
    if (own.getpriority("LOG_LEVEL") or 0) < SETTINGS_PRIORITIES["cmdline"]:
        own.set("LOG_LEVEL", "CRITICAL", priority="cmdline")
    return own
