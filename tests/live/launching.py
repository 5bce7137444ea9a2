"""``scrapy`` as a command, many times: a process for each, which need not import it all again.

Run as a program it reads lines of JSON: arguments, environment and the file for the log. It answers
each with the exit status.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path

from scrapy.cmdline import execute
from scrapy.settings import default_settings

PROJECT = Path(__file__).parent / "project"
# Imported beforehand; what would install a reactor is not among them.
MODULES = (
    "scrapy.commands.crawl",
    "scrapy.core.downloader.handlers.http11",
    "scrapy.crawler",
    "scrapy.extensions.feedexport",
    "scrapy.pipelines",
    "scrapy.pqueues",
    "scrapy.squeues",
    "scrapy_captcha.addon",
    "scrapy_captcha.crawl.wiring",
    "treq.client",
)
COMPONENTS = (
    "DOWNLOADER_MIDDLEWARES_BASE",
    "EXTENSIONS_BASE",
    "SPIDER_MIDDLEWARES_BASE",
)


def import_all() -> None:
    paths = [path for name in COMPONENTS for path in getattr(default_settings, name)]
    for module in (*MODULES, *(path.rpartition(".")[0] for path in paths)):
        import_module(module)


def launch(arguments: list[str], environment: dict[str, str], log: str) -> int:
    """The exit status of ``scrapy`` with *arguments*, in the project, in a process of its own."""
    child = os.fork()
    if not child:
        os.dup2(os.open(log, os.O_CREAT | os.O_WRONLY), 2)
        os.environ.update(environment)
        execute(["scrapy", *arguments])
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    import_all()
    os.chdir(PROJECT)
    sys.path.insert(0, str(PROJECT))
    for line in sys.stdin:
        print(launch(**json.loads(line)), flush=True)  # noqa: T201
