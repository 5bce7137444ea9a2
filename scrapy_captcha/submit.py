"""The request that carries a solution back, and the request that the spider meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urlencode, urlsplit

from scrapy.http import TextResponse

from scrapy_captcha.captchas import KINDS, form_answers
from scrapy_captcha.progress import KEY

if TYPE_CHECKING:
    from scrapy.http import Request, Response

    from scrapy_captcha.captchas import Captcha, Form, Solution

SUBMISSION = "_captcha_submission"  # meta of the request that carries a solution
_ORIGIN = "_captcha_origin"  # meta: what a redirect would make the request forget
_REDIRECT_KEYS = frozenset({"redirect_urls", "redirect_times", "redirect_ttl", "redirect_reasons"})


def build_submission(request: Request, captcha: Captcha, solution: Solution) -> Request:
    """The request that sends *solution* to the site, in the session of *request*.

    For kinds answered by a cookie it is *request* itself with that cookie, otherwise what a browser
    sends for the page's form. No 307 or 308 is followed: it would repeat the token elsewhere.
    """
    meta = {k: v for k, v in request.meta.items() if k not in _REDIRECT_KEYS and k != KEY}
    meta |= {SUBMISSION: True, "handle_httpstatus_list": [307, 308]}
    cookies = dict(solution.cookies)
    name = KINDS[captcha.kind].cookie
    if name:
        cookies[name] = solution.answers["token"]
    changes: dict[str, Any] = {"meta": meta, "cookies": cookies, "dont_filter": True}
    if captcha.form is not None and not name:
        changes |= _as_browsers_send(request, captcha.form, form_answers(captcha, solution))
    submission: Request = request.replace(**changes)
    if solution.user_agent:
        submission.headers["User-Agent"] = solution.user_agent
    return submission


def _as_browsers_send(request: Request, form: Form, answers: dict[str, str]) -> dict[str, Any]:
    data = urlencode([*form.fields, *answers.items()])
    headers = request.headers.copy()
    headers.pop("Content-Length", None)
    headers.pop("Content-Type", None)
    if form.method == "GET":
        url = form.url.partition("?")[0]
        return {"url": f"{url}?{data}", "method": "GET", "body": b"", "headers": headers}
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    return {"url": form.url, "method": "POST", "body": data.encode(), "headers": headers}


def is_page_of(request: Request, answer: Response) -> bool:
    """Whether the *answer* to a submission is what *request* itself would have been given."""
    return (
        request.method == "GET"
        and isinstance(answer, TextResponse)
        and answer.status < 300
        and urldefrag(answer.url)[0] == urldefrag(request.url)[0]
    )


def remember_origin(request: Request) -> None:
    """Keeps in meta what a redirect to a captcha's own page would make *request* forget."""
    if request.method != "GET" and _ORIGIN not in request.meta:
        request.meta[_ORIGIN] = {
            "method": request.method,
            "body": request.body,
            "headers": dict(request.headers),
        }


def forget_origin(request: Request) -> None:
    """Undoes `remember_origin`."""
    request.meta.pop(_ORIGIN, None)


def original(request: Request, *, priority_adjust: int) -> Request:
    """The request that the spider meant, before redirects led it to *request*.

    A POST that was redirected is sent again only where the captcha's own page names the way back in
    its query; elsewhere it may have been carried out. *priority_adjust* is
    ``REDIRECT_PRIORITY_ADJUST``.
    """
    urls = request.meta.get("redirect_urls")
    if not urls:
        return request
    meta = {k: v for k, v in request.meta.items() if k not in _REDIRECT_KEYS}
    origin = meta.pop(_ORIGIN, {})
    if origin and urlsplit(urls[0]).path not in unquote(urlsplit(request.url).query):
        return request
    priority = request.priority - priority_adjust * request.meta.get("redirect_times", 1)
    meant: Request = request.replace(url=urls[0], meta=meta, priority=priority, **origin)
    return meant
