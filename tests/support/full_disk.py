"""The job of jobs.py on a disk that is full once its pages are parked; it notes nothing."""

from __future__ import annotations

import json
import resource
import sys

from jobs import Job
from scrapy.crawler import CrawlerProcess


class FullDisk(Job):
    """Lets no file grow any more once all its pages are parked."""

    def note(self, line: str) -> None:
        if line == "parked":
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


if __name__ == "__main__":
    settings, arguments = map(json.loads, sys.argv[1:])
    process = CrawlerProcess(settings)
    process.crawl(FullDisk, **arguments)
    process.start()
