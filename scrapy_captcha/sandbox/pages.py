"""The HTML of the local site."""

from __future__ import annotations

from html import escape
from string import Template
from typing import TYPE_CHECKING

from scrapy_captcha.models import KINDS, Kind

from .guards import ID_FIELD, STATE_FIELD
from .widgets import WIDGETS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .guards import Challenge

_NEXT = 10  # how many of the pages behind it each page links to: a large site has small pages

_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>$title</title>
$head
</head>
<body>
$body
</body>
</html>
""")

_PARAGRAPHS = """<p>Item $number of the catalogue came to the museum by the evening coach, wrapped
in two sheets of newspaper, and stood for a year on a shelf of the reading room before anybody
asked what it was. The label, written in a careful hand, speaks of a gift.</p>
<p>The keeper of the collection measured it twice, found two different lengths, and wrote down the
mean. Visitors ask about number $number more often than about any of its neighbours; the answer is
always that it is older than the house, and that the drawing beside it shows how it was used.</p>
<p>It was cleaned last autumn. The report of the workshop fills three pages, praises the varnish,
and recommends to keep the piece away from the window.</p>"""

_COMMENT_FORM = """<h2>Leave a comment</h2>
<form action="/widget" method="post" id="comment">
<p><label>Name <input type="text" name="author"></label></p>
<p><label>E-mail <input type="email" name="email"></label></p>
<p><label>Comment <textarea name="comment" rows="8" cols="45"></textarea></label></p>
$widget
<p><button type="submit">Post comment</button></p>
</form>"""

_SEARCH_FORM = """<h2>Search</h2>
<form action="/search" method="post" id="search">
<p><label>Words <input type="text" name="q"></label></p>
$widget
<p><button type="submit">Search</button></p>
</form>"""


def _page(title: str, body: str, head: str = "") -> str:
    return _PAGE.substitute(title=escape(title), head=head, body=body)


def _links(numbers: Iterable[int]) -> str:
    return "".join(f'<li><a href="/page/{n}">Item {n}</a></li>\n' for n in numbers)


def _article(number: int, pages: int) -> str:
    links = _links(range(number + 1, min(number + _NEXT, pages) + 1))
    return (
        f'<article id="item-{number}"><h1>Item {number}</h1>\n'
        f'<p class="price">{number}.50</p>\n'
        f"{Template(_PARAGRAPHS).substitute(number=number)}</article>\n"
        f'<nav><a href="/">Home</a> <a href="/widget">Guest book</a>\n<ul>{links}</ul></nav>'
    )


def index(pages: int) -> str:
    """The page that links to all others."""
    return _page("Catalogue", f"<h1>Catalogue</h1>\n<ul>{_links(range(1, pages + 1))}</ul>")


def content(number: int, pages: int) -> str:
    """A page worth scraping: ``h1`` and ``.price`` hold its number."""
    return _page(f"Item {number}", _article(number, pages))


def guest_book(pages: int) -> str:
    """An article with a captcha in its comment form: content, although it holds a widget."""
    widget = WIDGETS[Kind.RECAPTCHA_V2]
    script, element = widget.render(widget.site_key, "", "")
    form = Template(_COMMENT_FORM).substitute(widget=element)
    return _page("Guest book", _article(0, pages) + form, script)


def search(challenge: Challenge | None) -> str:
    """A page of content with a search form, which wants *challenge* answered unless it is None."""
    script = element = ""
    if challenge is not None:
        widget = WIDGETS[challenge.guard.kind]
        picture = f"/captcha/{challenge.id}.png"
        script, element = widget.render(challenge.guard.key, challenge.secret, picture)
        element = _hidden_fields(challenge) + element
    form = Template(_SEARCH_FORM).substitute(widget=element)
    return _page("Search", _article(0, 0) + form, script)


def results(words: str, pages: int) -> str:
    """What the search for *words* finds: every page."""
    return _page(f"Search for {words}", f"<h1>Found for {escape(words)}</h1>{_article(0, pages)}")


def thanks() -> str:
    """What stands elsewhere after an accepted answer."""
    return _page("Thank you", "<h1>Thank you</h1>\n<p>You may go on now.</p>")


def wall(challenge: Challenge, action: str, *, again: bool) -> str:
    """The page that shows *challenge*; *again* after a rejected answer."""
    guard = challenge.guard
    picture = f"/captcha/{challenge.id}.png"
    script, element = WIDGETS[guard.kind].render(guard.key, challenge.secret, picture)
    words = "That was not right. Please try again." if again else "Please show that you are human."
    head = f'<meta name="robots" content="noindex, nofollow">\n{script}'
    body = f"<h1>Security check</h1>\n<p>{words}</p>\n"
    if KINDS[guard.kind].cookie:
        return _page("Security check", body + element, head)
    return _page("Security check", body + _form(challenge, action, element), head)


def _hidden_fields(challenge: Challenge) -> str:
    return (
        f'<input type="hidden" name="{ID_FIELD}" value="{challenge.id}">\n'
        f'<input type="hidden" name="{STATE_FIELD}" value="{challenge.state}">\n'
    )


def _form(challenge: Challenge, action: str, element: str) -> str:
    return f"""<form id="challenge-form" action="{escape(action)}" method="post">
{_hidden_fields(challenge)}{element}
<button type="submit">Continue</button>
</form>
<script>function passed() {{ document.getElementById("challenge-form").submit(); }}</script>"""
