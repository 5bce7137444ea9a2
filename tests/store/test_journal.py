"""The journal gives back what a killed crawl has left, and no state of its file stops the next one."""

from __future__ import annotations

import logging
import resource
import signal
import sqlite3
from contextlib import contextmanager
from threading import Lock
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scrapy import Request, Spider
from scrapy.utils.test import get_crawler

from scrapy_captcha.requests import without_credentials
from scrapy_captcha.state import KEY, CaptchaState, Stage
from scrapy_captcha.store.journal import Journal, _sealed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scrapy.http import Response

URL = "https://shop.example/1"


class Shopper(Spider):
    name = "shopper"

    def parse(self, response: Response, **kwargs: Any) -> None: ...
    def failed(self, failure: object) -> None: ...


@contextmanager
def journal(directory: Path | None, refused: list[Request] | None = None) -> Iterator[Journal]:
    """Of one run; it ends as a kill ends it, the file being left as it is."""
    crawler = get_crawler(Shopper, {"JOBDIR": str(directory)} if directory else {})
    crawler.spider = crawler._create_spider()
    crawler.engine = SimpleNamespace(_slot=SimpleNamespace(inprogress=set()))  # type: ignore[assignment]
    made = Journal(
        crawler,
        prepared=without_credentials,
        on_unserializable=lambda request, _: (refused if refused is not None else []).append(
            request
        ),
    )
    try:
        yield made
    finally:
        made.close()


def left(directory: Path) -> list[Request]:
    with journal(directory) as next_one:
        return list(next_one.leftovers())


def kept(running: Journal, number: int = 1, **changes: Any) -> Request:
    meta = {KEY: CaptchaState(tasks=number, priority=0).to_meta()}
    request = Request(f"https://shop.example/{number}", meta=meta | changes.pop("meta", {}))
    changed: Request = request.replace(**changes)
    running.keep(changed)
    return changed


def test_what_was_kept_is_left_over_as_far_as_it_had_come(tmp_path: Path) -> None:
    with journal(tmp_path) as running:
        spider = running._crawler.spider
        assert isinstance(spider, Shopper)
        request = kept(running, callback=spider.parse, errback=spider.failed, priority=7)
        request.meta[KEY] |= {"task_id": 5}
        running.update(request)

    [found] = left(tmp_path)
    state = CaptchaState.of(found.meta)
    assert (found.url, found.priority, found.dont_filter) == (URL, 7, True)
    assert [found.callback.__name__, found.errback.__name__] == ["parse", "failed"]  # type: ignore[union-attr]
    assert (state.tasks, state.task_id) == (1, 5)


def test_what_was_in_memory_is_not_counted_on(tmp_path: Path) -> None:
    with journal(tmp_path) as running:
        request = kept(running)
        request.meta[KEY] |= {"stage": "submitted", "solution": "x", "cookies": {"mine": "1"}}
        running.update(request)

    [found] = left(tmp_path)
    state = CaptchaState.of(found.meta)
    assert (state.stage, state.solution) == (Stage.REQUESTED, "")
    assert found.cookies == {"mine": "1"}


def test_what_is_left_over_is_kept_until_it_is_settled(tmp_path: Path) -> None:
    with journal(tmp_path) as running:
        kept(running, 1)
        kept(running, 2)
    with journal(tmp_path) as resumed:
        first, _ = resumed.leftovers()
        resumed.settle(first, CaptchaState.of(first.meta))
        resumed._check()  # it would do so by itself, some time later

    assert [request.url for request in left(tmp_path)] == ["https://shop.example/2"]


def test_only_a_kill_leaves_something(tmp_path: Path) -> None:
    with journal(tmp_path) as running:
        assert list(running.leftovers()) == []
        assert not running.follows_a_kill
        request = kept(running)
        running.end()
        running.update(request)  # whoever still waits is told that the crawl ends

    assert list(tmp_path.iterdir()) == []


def test_what_is_carried_on_outlives_a_graceful_stop(tmp_path: Path) -> None:
    with journal(tmp_path) as running:
        assert running.carry_on(kept(running, 1))
        kept(running, 2)
        assert not running.carry_on(Request(URL))
        running.end()

    assert [request.url for request in left(tmp_path)] == [URL]
    with journal(tmp_path) as resumed:
        list(resumed.leftovers())
        assert resumed.follows_a_kill


def test_without_a_job_directory_nothing_is_kept() -> None:
    with journal(None) as running:
        request = kept(running)
        assert list(running.leftovers()) == []
        assert not running.carry_on(request)
        running.end()

    assert "entry" not in request.meta[KEY]


@pytest.mark.parametrize("odd", [lambda: None, Lock()])
def test_what_cannot_be_written_is_told_and_the_rest_is_kept(odd: object, tmp_path: Path) -> None:
    refused: list[Request] = []
    with journal(tmp_path, refused) as running:
        request = kept(running, 1, meta={"odd": odd})
        kept(running, 2)

    assert refused == [request]
    assert CaptchaState.of(request.meta).entry == ""
    assert [request.url for request in left(tmp_path)] == ["https://shop.example/2"]


@pytest.mark.parametrize(
    ("meta", "proxy"),
    [
        ({"proxy": "http://proxy.example:8080", "_auth_proxy": "http://proxy.example:8080"}, True),
        ({"proxy": "http://proxy.example:8080", "_scheme_proxy": True}, False),
    ],
)
def test_credentials_of_a_proxy_are_not_written(
    meta: dict[str, Any], proxy: bool, tmp_path: Path
) -> None:
    with journal(tmp_path) as running:
        headers = {"Proxy-Authorization": "Basic YW5uOnNlc2FtZQ=="}
        request = kept(running, headers=headers, meta=meta)
    assert not any(b"YW5uOnNlc2FtZQ" in file.read_bytes() for file in tmp_path.iterdir())

    [found] = left(tmp_path)
    assert ("proxy" in found.meta) == proxy
    assert "Proxy-Authorization" in request.headers


# Damage


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


GARBAGE = [b"", b"x", b"garbage" * 2000, b"SQLite format 3\0" + b"\xff" * 9000]


@pytest.mark.parametrize("garbage", GARBAGE, ids=["empty", "short", "text", "header"])
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
def test_a_file_of_garbage_costs_one_warning_at_most(
    garbage: bytes, suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with journal(tmp_path) as running:
        kept(running)
    (tmp_path / f"captcha.sqlite{suffix}").write_bytes(garbage)

    with journal(tmp_path) as resumed:
        list(resumed.leftovers())
        kept(resumed, 3)
    assert len(warnings(caplog)) <= 1
    assert "https://shop.example/3" in [request.url for request in left(tmp_path)]


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@pytest.mark.thorough
@given(data=st.data())
def test_a_file_that_is_cut_or_written_over_costs_no_more_than_itself(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    directory = tmp_path_factory.mktemp("job")
    with journal(directory) as running:
        for number in range(30):
            kept(running, number)
    file = directory / "captcha.sqlite"
    content = bytearray(file.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[at:]
    else:
        piece = data.draw(st.binary(min_size=1, max_size=300))
        content[at : at + len(piece)] = piece
    file.write_bytes(content)

    caplog.clear()
    with journal(directory) as resumed:
        for request in resumed.leftovers():
            assert isinstance(request, Request)
        kept(resumed, 99)
        resumed.end()
    assert len(warnings(caplog)) <= 2


anything = st.recursive(
    st.none() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
entries = (
    st.binary(max_size=300)
    | anything.map(_sealed)
    | st.fixed_dictionaries(
        {},
        optional={
            "url": st.just(URL) | anything,
            "_class": st.sampled_from(["scrapy.Request", "scrapy.Spider", "os.path", ""])
            | anything,
            "callback": st.sampled_from(["parse", "unheard_of"]) | anything,
            "meta": st.dictionaries(st.just(KEY), anything) | anything,
            "headers": anything,
            "priority": anything,
        },
    ).map(_sealed)
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.thorough
@given(damaged=st.lists(entries, min_size=1, max_size=5))
def test_a_damaged_entry_costs_that_entry_and_one_warning(
    damaged: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("job")
    with journal(directory) as running:
        kept(running)
        assert running._file is not None
        for number, data in enumerate(damaged):
            running._file.write(f"{number}".encode(), data)

    assert [request.url for request in left(directory)] == [URL]
    assert [request.url for request in left(directory)] == [URL]


def test_garbage_in_the_text_of_an_error_is_survived(tmp_path: Path) -> None:
    with journal(tmp_path) as running:
        kept(running)
    file = tmp_path / "captcha.sqlite"
    schema = file.read_bytes()
    for at in range(3900, 4096, 2):
        file.write_bytes(schema[:at] + b"\x00\x80" + schema[at + 2 :])
        with journal(tmp_path) as resumed:
            list(resumed.leftovers())


def test_a_full_disk_ends_the_journal_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with journal(tmp_path) as running:
        kept(running, 1)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        try:
            for number in range(2, 200):
                kept(running, number, body=b"x" * 2000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, handler)
        assert len(warnings(caplog)) == 1
        running.end()

    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_another_crawl_has_open_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with journal(tmp_path) as running:
        kept(running, 1)
        with journal(tmp_path) as second:
            assert list(second.leftovers()) == []
            kept(second, 2)
            second.end()
        assert len(warnings(caplog)) == 1
        kept(running, 3)

    assert [request.url for request in left(tmp_path)] == [URL, "https://shop.example/3"]


def test_a_directory_in_the_place_of_the_file_is_survived(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "captcha.sqlite").mkdir()
    with journal(tmp_path) as running:
        assert list(running.leftovers()) == []
        kept(running)
        running.end()

    assert len(warnings(caplog)) == 1


def test_an_entry_outlives_a_kill_without_being_closed(tmp_path: Path) -> None:
    """Another connection would find it: it is in the system's hands."""
    with journal(tmp_path) as running:
        kept(running)
        copy = tmp_path / "copy"
        copy.mkdir()
        for file in tmp_path.glob("captcha.sqlite*"):
            (copy / file.name).write_bytes(file.read_bytes())
        found = sqlite3.connect(copy / "captcha.sqlite")
        assert found.execute("SELECT count(*) FROM entries").fetchone() == (1,)
        found.close()
