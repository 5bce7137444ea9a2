"""What a job writes while it runs holds no answer, and is for its own user only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Visitor, crawl, sandbox
from scrapy.exceptions import CloseSpider

from scrapy_captcha import Kind
from scrapy_captcha.sandbox import Guard, Mode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.http import Response

OURS = ("captcha.sqlite", "captcha.sqlite-wal", "captcha-spent.json")

# At a resume Scrapy 2.14 leaves the file of an empty queue open.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*requests.queue:pytest.PytestUnraisableExceptionWarning"
)


def files_in(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


class Reading(Visitor):
    """Notes what is in the job directory at each page, as a kill would leave it."""

    written: dict[str, bytes]

    def parse(self, response: Response, **kwargs: Any) -> None:
        super().parse(response)
        for path in files_in(Path(self.settings["JOBDIR"])):
            self.written[path.name] = self.written.get(path.name, b"") + path.read_bytes()
        if len(self.crawled.responses) == 4:
            raise CloseSpider("enough")


@pytest.mark.parametrize("kind", [Kind.AMAZON_WAF, Kind.RECAPTCHA_V2, Kind.IMAGE])
@pytest_twisted.ensureDeferred
async def test_no_answer_is_in_the_job_directory_at_any_time(kind: Kind, tmp_path: Path) -> None:
    written: dict[str, bytes] = {}

    class Noting(Reading):
        pass

    Noting.written = written
    settings = {
        "JOBDIR": str(tmp_path),
        "CAPTCHA_SCOPE": "page",
        "CONCURRENT_REQUESTS_PER_DOMAIN": 2,
    }
    async with sandbox(guard=Guard(kind, Mode.TOKEN), pages=20) as running:
        paths = [f"/page/{n}" for n in range(1, 21)]
        await crawl(running, paths, settings, Noting)
        tokens = [token.encode() for token in running.book._tokens] + [
            text.encode() for text in running.book._texts.values()
        ]
        written |= {f"{p.name} at the end": p.read_bytes() for p in files_in(tmp_path)}

    assert tokens
    assert "captcha.sqlite-wal" in written
    assert [name for name, data in written.items() if any(t in data for t in tokens)] == []


@pytest.fixture(params=[0o022, 0o000], ids=["usual umask", "no umask"])
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_umask")
@pytest_twisted.ensureDeferred
async def test_files_of_ours_are_for_their_user_only(tmp_path: Path) -> None:
    modes: dict[str, int] = {}

    class Noting(Visitor):
        def parse(self, response: Response, **kwargs: Any) -> None:
            super().parse(response)
            modes.update({p.name: p.stat().st_mode & 0o777 for p in files_in(tmp_path)})

    settings = {
        "JOBDIR": str(tmp_path / "job"),
        "CAPTCHA_REPORT": str(tmp_path / "report.html"),
        "CAPTCHA_DROPPED_FEED": str(tmp_path / "dropped.jsonl"),
        "CAPTCHA_MAX_SOLVES": 2,
    }
    async with sandbox(guard=Guard(mode=Mode.TOKEN), pages=4) as running:
        await crawl(running, [f"/page/{n}" for n in range(1, 5)], settings, Noting)
    modes |= {p.name: p.stat().st_mode & 0o777 for p in files_in(tmp_path)}

    ours = {
        name: mode
        for name, mode in modes.items()
        if name in (*OURS, "report.html", "dropped.jsonl")
    }
    assert ours == dict.fromkeys([*OURS, "report.html", "dropped.jsonl"], 0o600)


@pytest_twisted.ensureDeferred
async def test_a_journal_of_an_earlier_version_is_closed_to_others(tmp_path: Path) -> None:
    class Noting(Visitor):
        def parse(self, response: Response, **kwargs: Any) -> None:
            super().parse(response)
            modes.update({p.name: p.stat().st_mode & 0o777 for p in files_in(tmp_path)})

    modes: dict[str, int] = {}
    (tmp_path / "captcha.sqlite").touch(0o644)
    (tmp_path / "captcha-spent.json").write_text("{}")
    async with sandbox(guard=Guard(mode=Mode.TOKEN), pages=2) as running:
        await crawl(running, ["/page/1", "/page/2"], {"JOBDIR": str(tmp_path)}, Noting)

    assert {name: modes[name] for name in OURS} == dict.fromkeys(OURS, 0o600)


@pytest.mark.parametrize("setting", ["CAPTCHA_REPORT", "CAPTCHA_DROPPED_FEED"])
@pytest_twisted.ensureDeferred
async def test_nothing_is_written_through_a_symbolic_link(
    setting: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("of the user")
    link = tmp_path / "link"
    link.symlink_to(precious)
    async with sandbox(guard=Guard(mode=Mode.TOKEN)) as running:
        settings = {setting: str(link), "CAPTCHA_MAX_SOLVES": 1}
        crawled = await crawl(running, ["/page/1", "/page/2"], settings)

    assert precious.read_text() == "of the user"
    assert len(crawled.responses) == 1
    assert caplog.text.count(f"{setting} = {link} cannot be written") == 1


@pytest_twisted.ensureDeferred
async def test_a_link_in_the_place_of_the_journal_or_the_account_costs_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("of the user")
    job = tmp_path / "job"
    job.mkdir()
    for name in ("captcha.sqlite", "captcha-spent.new"):
        (job / name).symlink_to(precious)
    async with sandbox(guard=Guard(mode=Mode.TOKEN)) as running:
        crawled = await crawl(running, ["/page/1", "/page/2"], {"JOBDIR": str(job)})

    assert precious.read_text() == "of the user"
    assert crawled.paths == ["/page/1", "/page/2"]
    assert caplog.text.count("No captcha journal from now on") == 1
