"""The site, as a browser sees it: what it shows, what it takes, and what stays shut."""

from __future__ import annotations

import base64
import json
import sys
import time
from typing import Any
from urllib.parse import urljoin

import pytest
import pytest_twisted
import treq
from parsel import Selector
from treq.client import HTTPClient
from twisted.web.client import Agent, HTTPConnectionPool

from scrapy_captcha.models import KINDS, Kind
from scrapy_captcha.sandbox import Guard, Mode, Passage, Sandbox, Shown, SiteOptions, SolverOptions
from scrapy_captcha.sandbox.dialects import DIALECTS
from scrapy_captcha.sandbox.pictures import draw
from scrapy_captcha.sandbox.tokens import TokenFault

WIDGETS = [kind for kind in Kind if KINDS[kind].answers]
TYPES = {Kind.GEETEST_V4: Kind.GEETEST_V3}  # one type for both, told apart by a field


class Page:
    """An answer of the site."""

    def __init__(self, url: str, status: int, headers: Any, body: bytes) -> None:
        self.url, self.status, self.headers, self.body = url, status, headers, body
        self.html = Selector(body.decode("utf-8", "replace") or "<html/>")

    @property
    def title(self) -> str:
        return self.html.css("title::text").get("")

    @property
    def fields(self) -> dict[str, str]:
        inputs = self.html.css("form input[name]")
        return {i.attrib["name"]: i.attrib.get("value", "") for i in inputs}

    @property
    def action(self) -> str:
        return urljoin(self.url, self.html.css("form").attrib["action"])


class Browser:
    """A client with a cookie jar and an account at the solver."""

    def __init__(self, sandbox: Sandbox) -> None:
        from twisted.internet import reactor

        pool = HTTPConnectionPool(reactor, persistent=False)
        self.http = HTTPClient(Agent(reactor, pool=pool))
        self.sandbox = sandbox

    async def get(self, path: str, method: str = "GET", **options: Any) -> Page:
        url = urljoin(self.sandbox.site_url, path)
        response = await self.http.request(method, url, allow_redirects=False, **options)
        body = await treq.content(response)
        return Page(url, response.code, response.headers, body)

    async def follow(self, path: str) -> Page:
        page = await self.get(path)
        return await self.get(page.headers.getRawHeaders("Location")[0])

    async def solution(self, kind: str, page: Page, **words: object) -> dict[str, Any]:
        guard = self.sandbox.site.options.guard
        key = guard.key if guard else ""
        named = dict.fromkeys(("websiteKey", "websitePublicKey", "gt"), key)
        task = {"type": kind, "websiteURL": page.url, **named, **words}
        answer = await self.call("createTask", task=task)
        return dict((await self.call("getTaskResult", taskId=answer["taskId"]))["solution"])

    async def call(self, method: str, **payload: object) -> Any:
        url = f"{self.sandbox.api_url}/{method}"
        body = {"clientKey": self.sandbox.api_key, **payload}
        return await treq.json_content(await treq.post(url, json=body, persistent=False))

    async def solve(self, page: Page) -> dict[str, str]:
        """The form of a reCAPTCHA page, filled in."""
        solution = await self.solution("RecaptchaV2Task", page)
        return {**page.fields, "g-recaptcha-response": solution["gRecaptchaResponse"]}

    async def submit(self, page: Page, fields: dict[str, str]) -> Page:
        return await self.get(page.action, "POST", data=fields)


def behind(pages: int = 3, latency: float = 0.0, bound: bool = True, **guard: Any) -> Sandbox:
    return Sandbox(site=SiteOptions(pages, Guard(**guard), latency=latency, session_bound=bound))


def is_item(page: Page, number: int) -> bool:
    return page.status == 200 and page.html.css("h1::text").get() == f"Item {number}"


def is_wall(page: Page) -> bool:
    return page.title == "Security check"


@pytest_twisted.ensureDeferred
async def test_the_index_links_to_all_pages_and_is_open() -> None:
    async with behind(pages=4) as sandbox:
        browser = Browser(sandbox)
        page = await browser.get("/")
        assert page.html.css("a::attr(href)").getall() == [f"/page/{n}" for n in range(1, 5)]
        missing = [await browser.get(path) for path in ("/robots.txt", "/page/5", "/page/0")]
        assert [page.status for page in missing] == [404] * 3


@pytest_twisted.ensureDeferred
async def test_one_solution_clears_the_session_for_the_whole_site() -> None:
    async with behind(status=403) as sandbox:
        browser = Browser(sandbox)
        page = await browser.get("/page/1")
        assert (page.status, is_wall(page)) == (403, True)
        assert is_item(await browser.submit(page, await browser.solve(page)), 1)
        assert is_item(await browser.get("/page/2"), 2)
        assert is_wall(await Browser(sandbox).get("/page/2"))
        assert (sandbox.site.gate.accepted, sandbox.book.unused) == (1, 0)
        assert sandbox.site.opened == {"/page/1": 1, "/page/2": 1}


@pytest_twisted.ensureDeferred
async def test_in_token_mode_each_visit_needs_its_own_solution() -> None:
    async with behind(mode=Mode.TOKEN) as sandbox:
        browser = Browser(sandbox)
        page = await browser.get("/page/1")
        assert is_item(await browser.submit(page, await browser.solve(page)), 1)
        assert is_wall(await browser.get("/page/1"))
        assert is_wall(await browser.get("/page/2"))


@pytest_twisted.ensureDeferred
async def test_a_wall_rejects_every_solution() -> None:
    async with behind(mode=Mode.WALL) as sandbox:
        browser = Browser(sandbox)
        page = await browser.get("/page/1")
        page = await browser.submit(page, await browser.solve(page))
        assert is_wall(page)
        assert is_wall(await browser.submit(page, await browser.solve(page)))
        assert sandbox.site.gate.rejected == {TokenFault.REFUSED: 2}


@pytest_twisted.ensureDeferred
async def test_the_first_good_solutions_can_be_rejected() -> None:
    async with behind(reject_first=1) as sandbox:
        browser = Browser(sandbox)
        page = await browser.get("/page/1")
        page = await browser.submit(page, await browser.solve(page))
        assert is_wall(page)
        assert is_item(await browser.submit(page, await browser.solve(page)), 1)


@pytest.mark.parametrize("mode", [Mode.CLEARANCE, Mode.TOKEN])
@pytest_twisted.ensureDeferred
async def test_a_challenge_can_stand_elsewhere_and_lead_back(mode: Mode) -> None:
    async with behind(mode=mode, shown=Shown.REDIRECT, passage=Passage.REDIRECT) as sandbox:
        browser = Browser(sandbox)
        page = await browser.follow("/page/2")
        assert (is_wall(page), page.action) == (True, page.url)
        page = await browser.submit(page, await browser.solve(page))
        assert (page.status, page.headers.getRawHeaders("Location")) == (302, ["/page/2"])
        assert is_item(await browser.get("/page/2"), 2)
        assert ((await browser.get("/page/2")).status == 302) is (mode is Mode.TOKEN)


@pytest.mark.parametrize(
    ("passage", "said"), [(Passage.JSON, b'{"ok": true}'), (Passage.THANKS, b"Thank you")]
)
@pytest_twisted.ensureDeferred
async def test_an_accepted_solution_can_be_answered_without_the_page(
    passage: Passage, said: bytes
) -> None:
    async with behind(mode=Mode.TOKEN, passage=passage) as sandbox:
        browser = Browser(sandbox)
        page = await browser.get("/page/1")
        answer = await browser.submit(page, await browser.solve(page))
        assert said in answer.body
        assert is_item(await browser.get("/page/1"), 1)
        assert is_wall(await browser.get("/page/1"))


@pytest_twisted.ensureDeferred
async def test_pages_can_be_open_or_guarded_otherwise() -> None:
    guards = {"/page/1": None, "/page/2": Guard(Kind.HCAPTCHA, status=429)}
    async with Sandbox(site=SiteOptions(3, Guard(status=503), guards)) as sandbox:
        browser = Browser(sandbox)
        assert [(await browser.get(f"/page/{n}")).status for n in (1, 2, 3)] == [200, 429, 503]


@pytest_twisted.ensureDeferred
async def test_a_site_can_take_younger_tokens_only_than_the_solver_promises() -> None:
    async with Sandbox(site=SiteOptions(token_life=0.0)) as sandbox:
        browser = Browser(sandbox)
        page = await browser.get("/page/1")
        assert is_wall(await browser.submit(page, await browser.solve(page)))
        assert sandbox.site.gate.rejected == {TokenFault.EXPIRED: 1}


@pytest.mark.parametrize("kind", WIDGETS)
@pytest_twisted.ensureDeferred
async def test_every_widget_shows_its_key_and_takes_its_solution(kind: Kind) -> None:
    tasks = DIALECTS["unified"].tasks
    name = next(name for name, types in tasks.items() if types[-1].kind is TYPES.get(kind, kind))
    async with behind(kind=kind) as sandbox:
        browser, guard = Browser(sandbox), Guard(kind)
        page = await browser.get("/page/1")
        assert guard.key in page.body.decode()
        words: dict[str, object] = {}
        if kind is Kind.GEETEST_V3:
            words = {"challenge": page.html.re_first(r'challenge: "(\w+)"')}
        elif kind is Kind.GEETEST_V4:
            words = {"version": 4}
        solution = await browser.solution(name, page, **words)
        solution.setdefault("token", solution.get("gRecaptchaResponse"))
        answers = {field: solution[word] for field, word in KINDS[kind].answers.items()}
        assert is_item(await browser.submit(page, {**page.fields, **answers}), 1)


@pytest.mark.parametrize("mode", [Mode.CLEARANCE, Mode.TOKEN])
@pytest_twisted.ensureDeferred
async def test_the_cookie_of_amazon_opens_without_a_form(mode: Mode) -> None:
    async with behind(kind=Kind.AMAZON_WAF, mode=mode, status=405) as sandbox:
        browser = Browser(sandbox)
        page = await browser.get("/page/1")
        assert (page.status, page.html.css("form").get()) == (405, None)
        cookies = (await browser.solution("AmazonTask", page))["cookies"]
        assert is_item(await browser.get("/page/1", cookies=cookies), 1)
        again = await browser.get("/page/2", cookies=cookies)
        assert is_item(again, 2) is (mode is Mode.CLEARANCE)
        assert (sandbox.site.gate.accepted, sandbox.site.gate.rejected) == (1, {})


async def read(browser: Browser, page: Page) -> str:
    picture = await browser.get(page.html.css("img::attr(src)").get(""))
    assert picture.headers.getRawHeaders("Content-Type") == ["image/png"]
    body = base64.b64encode(picture.body).decode()
    return str((await browser.solution("ImageToTextTask", page, body=body))["text"])


@pytest_twisted.ensureDeferred
async def test_a_picture_is_new_on_each_visit_and_its_text_opens() -> None:
    async with behind(kind=Kind.IMAGE, mode=Mode.TOKEN) as sandbox:
        browser = Browser(sandbox)
        first, second = await browser.get("/page/1"), await browser.get("/page/1")
        texts = [await read(browser, page) for page in (first, second)]
        assert texts[0] != texts[1]
        wrong = await browser.submit(first, {**first.fields, "captcha": texts[1]})
        assert is_wall(wrong)
        assert sandbox.site.gate.rejected == {TokenFault.WRONG_TEXT: 1}
        fields = {**second.fields, "captcha": texts[1].lower()}
        assert is_item(await browser.submit(second, fields), 1)


@pytest_twisted.ensureDeferred
async def test_a_picture_is_shown_once_and_to_its_session_only() -> None:
    async with behind(kind=Kind.IMAGE) as sandbox:
        browser = Browser(sandbox)
        page = await browser.get("/page/1")
        url = page.html.css("img::attr(src)").get("")
        visits = [await b.get(url) for b in (Browser(sandbox), browser, browser)]
        assert [visit.status for visit in visits] == [404, 200, 404]


@pytest_twisted.ensureDeferred
async def test_without_the_extra_a_picture_is_a_server_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "captcha.image", None)
    with pytest.raises(RuntimeError, match=r"scrapy-captcha\[sandbox\]"):
        draw("AC34")
    async with behind(kind=Kind.IMAGE) as sandbox:
        browser = Browser(sandbox)
        page = await browser.get("/page/1")
        assert (await browser.get(page.html.css("img::attr(src)").get(""))).status == 500


@pytest_twisted.ensureDeferred
async def test_a_challenge_leads_to_pages_of_the_site_only() -> None:
    async with behind(shown=Shown.REDIRECT) as sandbox:
        for where in ("https://example.com/page/1", "//example.com/page/1", "/page/99", "/"):
            page = await Browser(sandbox).get("/captcha", params={"next": where})
            assert page.status == 404


@pytest_twisted.ensureDeferred
async def test_hidden_fields_must_come_back_unchanged_once_and_in_their_session() -> None:
    async with behind(mode=Mode.TOKEN) as sandbox:
        browser, other = Browser(sandbox), Browser(sandbox)
        await other.get("/")
        for changed, sender in (
            ({"state": "changed"}, browser),
            ({"csrf_token": "changed"}, browser),
            ({}, other),
        ):
            page = await browser.get("/page/1")
            fields = {**await browser.solve(page), **changed}
            assert is_wall(await sender.submit(page, fields))
        assert sandbox.site.gate.rejected == {TokenFault.WRONG_FIELDS: 3}
        page = await browser.get("/page/1")
        fields = await browser.solve(page)
        assert is_item(await browser.submit(page, fields), 1)
        assert is_wall(await browser.submit(page, fields))


@pytest_twisted.ensureDeferred
async def test_challenges_can_be_open_to_other_sessions() -> None:
    async with behind(bound=False) as sandbox:
        browser = Browser(sandbox)
        page = await browser.get("/page/1")
        fields = await browser.solve(page)
        assert is_item(await Browser(sandbox).submit(page, fields), 1)


@pytest_twisted.ensureDeferred
async def test_a_token_is_rejected_for_another_page_a_second_time_and_too_late() -> None:
    async with Sandbox(SolverOptions(token_life=0.1), SiteOptions()) as sandbox:
        browser = Browser(sandbox)
        first, second = await browser.get("/page/1"), await browser.get("/page/2")
        token = (await browser.solve(first))["g-recaptcha-response"]
        late = await browser.solve(first)
        page = await browser.submit(second, {**second.fields, "g-recaptcha-response": token})
        await browser.submit(page, {**page.fields, "g-recaptcha-response": token})
        began = time.monotonic()
        while time.monotonic() - began < 0.1:
            await browser.get("/")
        assert is_wall(await browser.submit(first, late))
        reasons = (TokenFault.WRONG_URL, TokenFault.USED, TokenFault.EXPIRED)
        assert sandbox.site.gate.rejected == dict.fromkeys(reasons, 1)


@pytest_twisted.ensureDeferred
async def test_a_form_page_echoes_what_was_posted() -> None:
    async with Sandbox(site=SiteOptions(guard=None)) as sandbox:
        browser = Browser(sandbox)
        await browser.get("/")
        headers = {"X-Asked": "yes", "Authorization": "Basic c2VjcmV0"}
        page = await browser.get("/form/1", "POST", data=b"a=1&b=%C3%A9", headers=headers)
        echo = json.loads(page.body)
        assert (echo["method"], echo["body"]) == ("POST", "a=1&b=%C3%A9")
        assert echo["headers"]["x-asked"] == "yes"
        assert "authorization" not in echo["headers"]
        visit = sandbox.site.requests[-1]
        assert (visit.method, visit.path, visit.status) == ("POST", "/form/1", 200)
        assert visit.credentials == ("authorization",)


@pytest.mark.parametrize("mode", [Mode.CLEARANCE, Mode.TOKEN])
@pytest_twisted.ensureDeferred
async def test_a_post_can_be_repeated_after_its_captcha(mode: Mode) -> None:
    async with behind(mode=mode) as sandbox:
        browser = Browser(sandbox)
        page = await browser.get("/form/1", "POST", data={"q": "shoes"})
        assert is_wall(page)
        await browser.submit(page, await browser.solve(page))
        page = await browser.get("/form/1", "POST", data={"q": "shoes"})
        assert json.loads(page.body)["body"] == "q=shoes"


@pytest_twisted.ensureDeferred
async def test_the_guest_book_is_content_with_a_widget_in_its_form() -> None:
    async with behind() as sandbox:
        page = await Browser(sandbox).get("/widget")
        assert page.html.css("form .g-recaptcha")
        assert len(page.html.css("article p")) > 3


@pytest_twisted.ensureDeferred
async def test_the_site_can_be_slow() -> None:
    async with behind(latency=0.1) as sandbox:
        began = time.monotonic()
        await Browser(sandbox).get("/")
        assert time.monotonic() - began >= 0.1


@pytest_twisted.ensureDeferred
async def test_the_search_form_is_content_and_its_results_are_for_solutions() -> None:
    async with behind(mode=Mode.TOKEN) as sandbox:
        browser = Browser(sandbox)
        page = await browser.get("/search")
        assert len(page.html.css("article p")) > 3
        found = await browser.submit(page, await browser.solve(page))
        assert found.title.startswith("Search for")
        refused = await browser.submit(await browser.get("/search"), {})
        assert is_wall(refused)
        assert sandbox.site.opened["/search"] == 1


@pytest_twisted.ensureDeferred
async def test_the_search_form_may_be_open_to_all() -> None:
    async with Sandbox(site=SiteOptions(guard=None)) as sandbox:
        browser = Browser(sandbox)
        page = await browser.get("/search")
        assert not page.html.css(".g-recaptcha")
        found = await browser.get("/search", "POST", data={"q": "a <b>"})
        assert "Found for a &lt;b&gt;" in found.body.decode()
