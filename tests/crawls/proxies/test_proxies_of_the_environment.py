"""What is sold with a proxy only is not bought with that of the environment, and the log says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_twisted
from crawling import Visitor, crawl, sandbox
from proxying import proxies
from shopping import calls, shopping

from scrapy_captcha import Captcha, Kind
from scrapy_captcha.providers import CapSolver

if TYPE_CHECKING:
    import pytest
    from scrapy.http import Response

PASSWORD = "pass-9876543210"
ADDRESS = "https://geo.captcha-delivery.com/captcha/?initialCid=i&cid=c&t=fe"


class Guarded(Visitor):
    """Is shown the same wall by each page."""

    def captcha_detect(self, response: Response) -> Captcha:
        return Captcha(Kind.DATADOME, response.url, parameters={"captcha_url": ADDRESS})


@pytest_twisted.ensureDeferred
async def test_one_line_names_the_setting_and_nothing_is_bought(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with sandbox() as running, proxies("") as [proxy]:
        monkeypatch.setenv("http_proxy", proxy.url.replace("://", f"://ann:{PASSWORD}@"))
        paths = ["/page/1", "/page/2", "/page/3"]
        crawled = await crawl(running, paths, shopping(running, CapSolver), Guarded)

        assert calls(running, "createTask") == 0
    assert len(crawled.failures) == 3
    said = [r.getMessage() for r in caplog.records if "CAPTCHA_PROXIES" in r.getMessage()]
    assert said == [
        (
            "datadome is sold with a proxy only, and that of the environment is never sent to a "
            "service: name one in CAPTCHA_PROXIES"
        )
    ]
    assert PASSWORD not in caplog.text


@pytest_twisted.ensureDeferred
async def test_without_any_proxy_that_line_is_not_there(caplog: pytest.LogCaptureFixture) -> None:
    async with sandbox() as running:
        crawled = await crawl(running, ["/page/1"], shopping(running, CapSolver), Guarded)

    assert len(crawled.failures) == 1
    assert "CAPTCHA_PROXIES" not in caplog.text
