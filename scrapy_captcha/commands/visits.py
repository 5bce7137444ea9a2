"""Crawls of single pages, apart from the project's own crawls."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from scrapy.settings import SETTINGS_PRIORITIES

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings, Settings

# As in Scrapy's own commands; a project may have another for its crawls.
REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"

# A visit must not change the project's files, nor show a cached page.
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

# The statuses of pages: redirects are followed.
STATUSES = tuple(set(range(200, 600)) - {301, 302, 303, 307, 308})


def settings_of_visit(settings: BaseSettings) -> Settings:
    """*settings* for a crawl of one or a few pages that leaves no trace in the project.

    Nothing is logged unless the command line asks for it: commands print errors themselves.
    """
    own = cast("Settings", settings.copy())
    own.setdict(_OTHERWISE, priority="cmdline")
    if (own.getpriority("LOG_LEVEL") or 0) < SETTINGS_PRIORITIES["cmdline"]:
        own.set("LOG_LEVEL", "CRITICAL", priority="cmdline")
    return own
