"""The request that carries a solution to the site, as a browser would send it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from scrapy_captcha.models import KINDS, answer_of, form_answers
from scrapy_captcha.origin import without_redirects
from scrapy_captcha.state import KEY, SUBMISSION
from scrapy_captcha.urls import are_of_one_origin, as_sent, origin_of

if TYPE_CHECKING:
    from scrapy.http import Request

    from scrapy_captcha.models import Captcha, Form, Solution


# Keys about the answer to a request, which do not hold for the answer to a form.
_OF_THE_PAGE = frozenset({"handle_httpstatus_list", "handle_httpstatus_all", "dont_redirect"})
_ORIGIN_ONLY = frozenset({"origin", "strict-origin"})
_OF_A_BODY = frozenset({b"Content-Length", b"Content-Type"})
# Headers that describe a client, and hold nothing that a site has given it.
_OF_THE_CLIENT = frozenset(
    {b"Accept", b"Accept-Encoding", b"Accept-Language", b"Proxy-Authorization", b"User-Agent"}
)


def build_submission(request: Request, captcha: Captcha, solution: Solution) -> Request:
    """The request that sends *solution* to the site, in the session of *request*.

    It is what a browser sends for the page's form. No 307 or 308 is followed: it would repeat the
    token elsewhere. For kinds answered by a cookie it is *request* itself with that cookie, or,
    where another origin shows the captcha, a request for the page that shows it.
    Raises ValueError for a solution or a form that cannot be sent.
    """
    changes: dict[str, Any] = {"cookies": dict(solution.cookies), "dont_filter": True}
    name = KINDS[captcha.kind].cookie
    if name:
        changes["cookies"][name] = answer_of(solution, "token")
        if not are_of_one_origin(request.url, captcha.url):
            changes |= _as_sent_to(captcha.url, request, method="GET", body=b"")
    elif captcha.form is not None:
        changes |= as_browsers_send(request, captcha.form, form_answers(captcha, solution))
        _say_where_from(changes, captcha.url, captcha.form)
    submission: Request = request.replace(meta=_meta(request, captcha), **changes)
    if solution.user_agent:
        submission.headers["User-Agent"] = solution.user_agent
    return submission


def _meta(request: Request, captcha: Captcha) -> dict[str, Any]:
    """The meta of a submission: of the same session, without the keys for the page alone."""
    meta = without_redirects(request.meta)
    meta.pop(KEY, None)
    if not KINDS[captcha.kind].cookie:
        meta = {name: value for name, value in meta.items() if name not in _OF_THE_PAGE}
        meta["handle_httpstatus_list"] = [307, 308]
    return meta | {SUBMISSION: True}


def as_browsers_send(request: Request, form: Form, answers: dict[str, str]) -> dict[str, Any]:
    """The changes that make *request* submit *form* with *answers*, for ``Request.replace``.

    Raises ValueError for a form whose URL cannot be one.
    """
    # Characters that an encoding lacks, and lone surrogates, are sent as character references.
    data = urlencode(
        [*form.fields, *answers.items()], encoding=form.encoding, errors="xmlcharrefreplace"
    )
    if form.method == "GET":
        url = form.url.partition("?")[0]
        return _as_sent_to(f"{url}?{data}", request, method="GET", body=b"")
    changes = _as_sent_to(form.url, request, method="POST", body=data.encode())
    changes["headers"]["Content-Type"] = "application/x-www-form-urlencoded"
    return changes


def _say_where_from(changes: dict[str, Any], url: str, form: Form) -> None:
    """Adds the headers by which browsers name the page at *url*, which has *form*, to its site."""
    headers, origin = changes["headers"], origin_of(url)
    page, policy = urlsplit(url), form.referrer_policy
    for name in ("Referer", "Origin"):
        headers.pop(name, None)
    if origin is None or not are_of_one_origin(url, changes["url"]):
        return
    here = f"{page.scheme}://{page.netloc}"
    if policy != "no-referrer":
        path = page._replace(fragment="").geturl()
        headers["Referer"] = f"{here}/" if policy in _ORIGIN_ONLY else path
    if changes["method"] == "POST":
        headers["Origin"] = "null" if policy == "no-referrer" else here


def leave_behind(request: Request, first: str) -> None:
    """Removes what is for the origin of *first* from *request*, which was redirected from it."""
    if are_of_one_origin(request.url, first):
        return
    for name in set(request.headers) - _OF_THE_CLIENT - _OF_A_BODY:
        del request.headers[name]


def _as_sent_to(url: str, request: Request, *, method: str, body: bytes) -> dict[str, Any]:
    """The changes that send *request* to *url*: its own headers are kept only at its origin."""
    url = as_sent(url)
    is_at_home = are_of_one_origin(url, request.url)
    headers = request.headers.copy()
    for name in set(headers):
        if name in _OF_A_BODY or not (is_at_home or name in _OF_THE_CLIENT):
            del headers[name]
    return {"url": url, "method": method, "body": body, "headers": headers}
