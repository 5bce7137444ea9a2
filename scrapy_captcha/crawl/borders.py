"""How far redirects may lead: a submission to its own site, a page to where its spider may go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached

from scrapy_captcha.crawl.submission import leave_behind
from scrapy_captcha.events import RedirectNotFollowed
from scrapy_captcha.origin import is_at_its_gate, redirects
from scrapy_captcha.requests import site_of
from scrapy_captcha.urls import host_of

if TYPE_CHECKING:
    from scrapy.http import Request

    from scrapy_captcha.publishing import Events
    from scrapy_captcha.settings.domains import Domains
    from scrapy_captcha.state import CaptchaState


class Borders:
    """Stops what a redirect has led too far."""

    def __init__(self, domains: Domains, events: Events) -> None:
        self._domains = domains
        self._events = events

    def stopped(self, submission: Request) -> Response | None:
        """The redirect itself, if it would lead *submission* off the site; None if it is followed.

        What is meant for one origin only is removed when the redirect leads to another.
        """
        urls = redirects(submission)
        if not urls:
            return None
        if is_at_its_gate(submission):
            return Response(urls[-1], status=302)
        host = urlparse_cached(submission).hostname or ""
        if self._domains.is_named(host) or site_of(host) == site_of(host_of(urls[0])):
            leave_behind(submission, urls[0])
            return None
        self._events.publish(RedirectNotFollowed(submission, host))
        return Response(urls[-1], status=302)

    def has_left_the_site(self, request: Request, state: CaptchaState) -> bool:
        """Whether a redirect leads where Scrapy's own filter would have stopped *request*.

        It is not asked, because what is tried again must not be filtered as a duplicate.
        """
        tried_again = state.priority is not None and not state.dont_filter
        if request.meta.get("allow_offsite") or not tried_again or not redirects(request):
            return False
        return self._domains.is_offsite(urlparse_cached(request).hostname or "")
