"""Keeps the requests that wait for a captcha on disk, in case the crawl is killed.

After a graceful stop the journal is not used: the requests go back to the scheduler, which writes
its queues when it closes. ``kill -9``, or a forced stop, prevents that. The next run then reads the
requests that were parked from the journal, and those on their way back from parking, which were in
the scheduler's memory or being downloaded.

The journal is trusted as far as Scrapy's own queues in the same directory are: both are unpickled.
"""

from __future__ import annotations

import logging
import pickle
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from scrapy.http import Request
from scrapy.utils.job import job_dir
from scrapy.utils.request import request_from_dict

from scrapy_captcha.clock import looping
from scrapy_captcha.state import KEY, CaptchaState
from scrapy_captcha.store.entries import Entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

_FILE = "captcha.sqlite"
_DIGEST = 16  # bytes
_QUEUED = b"queued "  # prefix of the names of duplicates, which are no entries
_CHECK = 0.05  # seconds between two checks which pages the spider is done with


class Journal:
    """Has an entry for each page from when it is parked until it is scraped or given up.

    Without ``JOBDIR`` nothing is kept. *prepared* returns a request as it may be written to disk;
    *on_unserializable* is called with each request that cannot be written, and with the error.
    """

    def __init__(
        self,
        crawler: Crawler,
        *,
        prepared: Callable[[Request], Request],
        on_unserializable: Callable[[Request, Exception], None],
    ) -> None:
        self._crawler = crawler
        self._prepared = prepared
        self._on_unserializable = on_unserializable
        directory = job_dir(crawler.settings)
        self._file = Entries(Path(directory, _FILE)) if directory else None
        self._settling: dict[Request, bytes] = {}
        self._checking = looping(self._check)
        self._carried_on: set[bytes] = set()
        # Both are known once the leftovers have been asked for.
        self.follows_a_kill = False
        self._is_taken = False
        self.queued: list[bytes] = []  # given to `end` by the last run

    @property
    def is_taken(self) -> bool:
        """Whether another crawl uses the same job directory; known once the file is opened."""
        return self._is_taken

    def keep(self, request: Request) -> None:
        """Writes *request*, under a name that is put into its meta."""
        if self._file is None:
            return
        state = CaptchaState.of(request.meta)
        if not state.entry:
            request.meta[KEY] = replace(state, entry=uuid4().hex).to_meta()
        self.update(request)

    def update(self, request: Request) -> None:
        """Writes the state of *request*, if that has an entry."""
        state = CaptchaState.of(request.meta)
        if self._file is None or not state.entry:
            return
        try:
            data = _sealed(self._prepared(request).to_dict(spider=self._crawler.spider))
        except Exception as error:  # noqa: BLE001 - whatever the user's objects raise
            request.meta[KEY] = replace(state, entry="").to_meta()
            self._on_unserializable(request, error)
        else:
            self._file.write(_name(state), data)

    def settle(self, request: Request, state: CaptchaState) -> None:
        """The page of *request*, with *state*, waits no more.

        Its entry is deleted when the spider is done with the page.
        """
        if self._file is not None and state.entry:
            self._settling[request] = _name(state)
            if not self._checking.running:
                self._checking.start(_CHECK, now=False)

    def _check(self) -> None:
        slot = getattr(self._crawler.engine, "_slot", None)
        under_way = slot.inprogress if slot else ()
        done = [request for request in self._settling if request not in under_way]
        if self._file is not None:
            self._file.delete([self._settling.pop(request) for request in done])
        if not self._settling and self._checking.running:
            self._checking.stop()

    def leftovers(self) -> Iterator[Request]:
        """The requests of the last run, if that was killed; their entries stay."""
        if self._file is None:
            return
        self.follows_a_kill = self._file.exists()
        sound, spoilt = 0, []
        for name, data in self._file.read():
            if isinstance(name, bytes) and name.startswith(_QUEUED):
                self.queued.append(name.removeprefix(_QUEUED))
                continue
            request = self._read(name, data)
            if request is None:
                spoilt.append(name)
                continue
            sound += 1
            self._file.write(name, data)  # the file may be another, in the place of a damaged one
            yield request
        self._file.delete(spoilt)
        self._is_taken = self._file.is_taken
        self._log(sound, len(spoilt))

    def carry_on(self, request: Request) -> bool:
        """Leaves the entry of *request* to the next run; False if it has none."""
        name = _name(CaptchaState.of(request.meta))
        if self._file is None or self._file.failed or not name:
            return False
        self._carried_on.add(name)
        return True

    def end(self, queued: Iterable[bytes] = ()) -> None:
        """Deletes all entries that are not carried on, and keeps nothing from now on.

        The names *queued* are kept for the next run as well.
        """
        if self._file is None:
            return
        kept = {_QUEUED + name for name in queued}
        for name in kept:
            self._file.write(name, b"")
        kept |= self._carried_on
        if kept:
            self._file.delete({name for name, _ in self._file.read()} - kept)
        else:
            self._file.remove()
        self.close()
        self._file = None

    def close(self) -> None:
        """Closes the file, which stays, and leaves nothing in the reactor."""
        if self._checking.running:
            self._checking.stop()
        if self._file is not None:
            self._file.close()

    def _read(self, name: bytes, data: bytes) -> Request | None:
        try:
            request: object = request_from_dict(_unsealed(data), spider=self._crawler.spider)
        except Exception:  # noqa: BLE001 - garbage raises whatever it likes
            return None
        if not isinstance(request, Request) or _name(CaptchaState.of(request.meta)) != name:
            return None
        state = CaptchaState.of(request.meta).for_another_run()
        request.meta[KEY] = state.to_meta()
        request.dont_filter = True  # the dupefilter may know it from its first time
        if state.priority is not None:
            request.cookies = state.cookies or {}
        return request

    def _log(self, sound: int, spoilt: int) -> None:
        values = {"sound": sound, "spoilt": spoilt, "file": self._file}
        extra = {"spider": self._crawler.spider}
        if sound:
            text = (
                "Scheduled %(sound)d requests that waited for a captcha when the crawl was killed"
            )
            logger.info(text, values, extra=extra)
        if spoilt:
            text = "Lost %(spoilt)d requests that waited for a captcha: damaged in %(file)s"
            logger.warning(text, values, extra=extra)


def _sealed(stored: object) -> bytes:
    """*stored* after its digest: to read a damaged pickle may take any time and memory."""
    data = pickle.dumps(stored)
    return blake2b(data, digest_size=_DIGEST).digest() + data


def _unsealed(sealed: bytes) -> dict[str, Any]:
    digest, data = sealed[:_DIGEST], sealed[_DIGEST:]
    if blake2b(data, digest_size=_DIGEST).digest() != digest:
        raise ValueError("damaged")
    stored: dict[str, Any] = pickle.loads(data)  # noqa: S301 - trusted as Scrapy's queues are
    return stored


def _name(state: CaptchaState) -> bytes:
    return state.entry.encode("utf-8", "surrogatepass")  # it may have been damaged
