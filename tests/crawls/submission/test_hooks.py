"""What captcha_submit of a spider returns is sent, and what it raises is not paid for for long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Visitor, crawl, sandbox
from scrapy import FormRequest

from scrapy_captcha import captcha_request
from scrapy_captcha.models import form_answers
from scrapy_captcha.sandbox import Guard, Mode

if TYPE_CHECKING:
    from scrapy import Request

    from scrapy_captcha import Captcha, Solution

PAGES = [f"/page/{n}" for n in range(1, 6)]


def data_of(captcha: Captcha, solution: Solution) -> dict[str, str]:
    assert captcha.form is not None
    return {**dict(captcha.form.fields), **form_answers(captcha, solution)}


class Replacing(Visitor):
    def captcha_submit(self, request: Request, captcha: Captcha, solution: Solution) -> Request:
        assert captcha.form is not None
        form = FormRequest(captcha.form.url, formdata=data_of(captcha, solution))
        return request.replace(
            url=form.url, method="POST", body=form.body, headers={**request.headers, **form.headers}
        )


class Copying(Visitor):
    def captcha_submit(self, request: Request, captcha: Captcha, solution: Solution) -> Request:
        assert captcha.form is not None
        data = data_of(captcha, solution)
        return FormRequest(captcha.form.url, formdata=data, meta=request.meta)


class Searching:
    async def parse(self, response: Any, **kwargs: Any) -> Any:
        if response.url.endswith("/search"):
            data = {"q": "chair"}
            spider: Any = self
            yield await captcha_request(
                spider, response, formdata=data, callback=self.found, errback=spider.failed
            )

    def found(self, response: Any) -> None:
        spider: Any = self
        spider.crawled.responses.append(response)


@pytest.mark.parametrize("spider", [Replacing, Copying])
@pytest_twisted.ensureDeferred
async def test_a_request_made_of_the_given_one_is_sent(spider: type[Visitor]) -> None:
    async with sandbox(guard=Guard(mode=Mode.TOKEN)) as running:
        crawled = await crawl(running, PAGES, spider=spider)

    assert crawled.paths == PAGES
    assert running.solver.created == len(PAGES)


@pytest.mark.parametrize("spider", [Replacing, Copying])
@pytest_twisted.ensureDeferred
async def test_so_it_is_for_a_form(spider: type[Visitor]) -> None:
    searching: Any = type("SearchingToo", (Searching, spider), {})
    async with sandbox(guard=Guard(mode=Mode.TOKEN)) as running:
        crawled = await crawl(running, ["/search"], spider=searching)

    assert crawled.reasons == []
    assert [response.status for response in crawled.responses] == [200]
    assert "Found for chair" in crawled.responses[0].text
    assert running.solver.created == 1


class Raising(Visitor):
    def captcha_submit(self, request: Request, captcha: Captcha, solution: Solution) -> Request:
        raise ZeroDivisionError


@pytest_twisted.ensureDeferred
async def test_a_hook_that_raises_three_times_ends_buying_for_the_site(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pages = [f"/page/{n}" for n in range(1, 41)]
    async with sandbox(guard=Guard(mode=Mode.TOKEN), pages=40) as running:
        crawled = await crawl(running, pages, {"CAPTCHA_CONCURRENT_SOLVES": 2})

        raising = await crawl(running, pages, {"CAPTCHA_CONCURRENT_SOLVES": 2}, spider=Raising)

    assert len(crawled.responses) == 40
    bought = running.solver.created - 40
    assert 3 <= bought <= 5
    assert len(raising.failures) == 40
    assert sum(bool(f.check(ZeroDivisionError)) for f in raising.failures) == bought
    assert raising.stat("dropped_count/undelivered") == 40 - bought
    assert raising.stat("unused_count") == bought
    said = [r for r in caplog.records if "could not be sent" in r.getMessage()]
    assert (
        len([r for r in said if r.levelname == "WARNING" and "Giving up on" not in r.getMessage()])
        == 1
    )
