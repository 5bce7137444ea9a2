"""A gate in the layout of its site is solved; forms that ask for more reach the callback."""

from __future__ import annotations

import pytest
import pytest_twisted
from crawling import crawl, path_of, sandbox
from guarding import Wall, guarded
from scrapy import Request
from serving import Page, site

WIDGET = '<div class="h-captcha" data-sitekey="10000000-ffff-ffff-ffff-000000000001"></div>'
CHOICES = (
    '<select name="lang"><option value="en">English<option value="de">Deutsch</select>'
    '<select name="zone"><option>1<option selected>2</select>'
    '<input type="checkbox" name="remember" checked><input type="checkbox" name="mail">'
)
LAYOUT = (
    '<a href="/shelf">Shelf</a> ' * 80
    + "<p>"
    + "word " * 240
    + '<form action="/letter" method="post"><input type="email" name="mail"><button>Go</form>'
)
GATE = f'<form method="post" action="/check">{CHOICES}{WIDGET}<button>Go</button></form>{LAYOUT}'
FIELDS = {"lang": "en", "zone": "2", "remember": "on", "mail": None}


@pytest.mark.parametrize("status", [401, 403, 429, 503])
@pytest_twisted.ensureDeferred
async def test_a_gate_that_refuses_is_solved_with_what_its_form_has_chosen(status: int) -> None:
    wall = Wall(GATE, "h-captcha-response", status)
    async with sandbox() as running, guarded(wall) as own:
        crawled = await crawl(running, [Request(own.url + "/a")])

    assert [r.css("h1::text").get() for r in crawled.responses] == ["Page /a"]
    assert {name: own.answers[0].get(name) for name in FIELDS} == FIELDS
    assert running.solver.created == 1


@pytest_twisted.ensureDeferred
async def test_a_gate_to_which_a_redirect_leads_is_solved() -> None:
    wall = Wall(GATE, "h-captcha-response", redirects=True)
    async with sandbox() as running, guarded(wall) as own:
        crawled = await crawl(running, [Request(own.url + "/a")])

    assert [r.css("h1::text").get() for r in crawled.responses] == ["Page /a"]
    assert running.solver.created == 1


@pytest.mark.parametrize(
    "fields",
    [
        '<input name="user"><input type="password" name="password">',
        '<input name="mail"><textarea name="message"></textarea>',
        '<textarea name="comment"></textarea>',
        '<input name="q">',
    ],
    ids=["login", "contact", "comment", "search"],
)
@pytest_twisted.ensureDeferred
async def test_a_form_with_a_captcha_is_no_gate_wherever_it_is_shown(fields: str) -> None:
    markup = f'<h1>Shop</h1><form method="post">{fields}{WIDGET}<button>Go</button></form>'
    pages = {
        "/wanted": Page("", 302, {"Location": "/form"}),
        "/form": Page(markup),
        "/refused": Page(markup, 403),
    }
    async with sandbox() as running, site(pages) as own:
        meta = {"handle_httpstatus_list": [403]}
        requests = [Request(own.url + path, meta=meta) for path in ("/wanted", "/refused")]
        crawled = await crawl(running, requests)

    assert sorted(path_of(r) for r in crawled.responses) == ["/form", "/refused"]
    assert running.solver.created == 0
