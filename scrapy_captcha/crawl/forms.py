"""Forms of ordinary pages that need a captcha solved: a solution is bought if a spider asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from parsel import SelectorList
from scrapy.http import Request, TextResponse
from twisted.internet.defer import CancelledError

from scrapy_captcha.crawl.submission import as_browsers_send
from scrapy_captcha.detection import Document, TooManyStepsError, answered_in, contained
from scrapy_captcha.engine.parking import FIRST
from scrapy_captcha.events import SolutionRequested
from scrapy_captcha.exceptions import CaptchaError
from scrapy_captcha.requests import same_session
from scrapy_captcha.settings.choices import GiveUp
from scrapy_captcha.settings.options import Options
from scrapy_captcha.state import KEY, CaptchaState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from parsel import Selector
    from scrapy.http import Response

    from scrapy_captcha.buying.eligibility import Eligibility
    from scrapy_captcha.buying.purchase import Buyer
    from scrapy_captcha.crawl.outcomes import Outcomes
    from scrapy_captcha.detection import Detection
    from scrapy_captcha.engine.parking import ParkingLot
    from scrapy_captcha.models import Captcha
    from scrapy_captcha.publishing import Events
    from scrapy_captcha.settings.config import Config

    FormData = Mapping[str, str | Iterable[str] | None]


_OF_HTTP_PROXY = frozenset({"_auth_proxy", "_scheme_proxy"})
_OF_THE_FORM = frozenset({"url", "method", "body"})


class Forms:
    """Makes requests that carry a solution to a form.

    It stays in memory, as for pages: the request has only a name for it. *detect* is called with
    a response for the captcha that it shows.
    """

    def __init__(
        self,
        config: Config,
        eligibility: Eligibility,
        lot: ParkingLot,
        buyer: Buyer,
        outcomes: Outcomes,
        events: Events,
        detect: Callable[[Response, Options], Detection | None],
    ) -> None:
        self._config = config
        self._eligibility = eligibility
        self._lot = lot
        self._buyer = buyer
        self._outcomes = outcomes
        self._events = events
        self._detect = detect

    async def request(
        self,
        response: TextResponse,
        form: Selector | SelectorList[Selector] | None,
        formdata: FormData,
        given: Mapping[str, Any],
    ) -> Request:
        """As `scrapy_captcha.captcha_request`; *given* is for the Request."""
        _refuse_misuse(response, formdata, given)
        words = (given.get("meta") or {}).get("captcha", response.meta.get("captcha"))
        options = replace(Options.of(self._config, words), on_give_up=GiveUp.DROP, ignore=False)
        captcha = self._captcha(response, form, options)
        if captcha.form is not None:
            captcha = replace(captcha, form=captcha.form.filled(formdata))
        page = _page(response, given)
        reason = self._eligibility.reason_not_to_buy(
            page, captcha, CaptchaState.of(page.meta), options
        )
        if reason:
            raise self._outcomes.dropped(page, reason, captcha)
        self._events.publish(SolutionRequested(page, captcha))
        try:
            bought = await self._lot.wait_in_callback(self._buyer.buy(page, captcha, options))
        except CancelledError:
            raise self._outcomes.dropped(page, "closing", captcha) from None
        if failed := CaptchaState.of(bought.meta).failed:
            raise CaptchaError(failed)
        return _carrier(bought, captcha, given)

    def _captcha(
        self,
        response: TextResponse,
        form: Selector | SelectorList[Selector] | None,
        options: Options,
    ) -> Captcha:
        document = Document(response, self._config.detect_maxsize)
        try:
            captcha = self._seen(document, response, options)
            if captcha is not None and form is not None:
                captcha = answered_in(document, captcha, _element(form))
        except TooManyStepsError:
            captcha = None
        if captcha is None:
            raise ValueError(
                f"no captcha is seen in {response}: if there is one, say which, with "
                'meta={"captcha": {"kind": …, "site_key": …}}'
            )
        return captcha

    def _seen(self, document: Document, response: TextResponse, options: Options) -> Captcha | None:
        found = self._detect(response, options)
        captcha = (found.captcha if found else None) or contained(document)
        if options.declared is not None:
            captcha = options.declared.known(document, captcha)
        return captcha


def _element(form: Selector | SelectorList[Selector]) -> Any:
    selected = form[0] if isinstance(form, SelectorList) and form else form
    element = getattr(selected, "root", None)
    if getattr(element, "tag", None) != "form":
        raise ValueError(
            f"form={form!r} is no form: select one, as response.css('form')[0], or leave it out"
        )
    return element


def _refuse_misuse(response: Response, formdata: object, given: Mapping[str, Any]) -> None:
    """Raises ValueError or TypeError for arguments with which no request could be made."""
    if not isinstance(response, TextResponse):
        raise TypeError(f"{response!r} has no form: give captcha_request a response with text")
    if response.request is None:
        raise ValueError(
            f"{response} answers no request, so that its session is unknown: "
            "give captcha_request the response that the callback got"
        )
    if not isinstance(formdata, Mapping):
        raise TypeError(f"formdata={formdata!r}: write a dict of names and values")
    for name in sorted(_OF_THE_FORM & given.keys()):
        raise TypeError(f"{name}= is not for captcha_request: the form says it; leave it out")
    Request(response.url, **given)


def _page(response: Response, given: Mapping[str, Any]) -> Request:
    """A request for the page of *response*, used to buy a solution in its session."""
    assert response.request is not None  # noqa: S101 - else it was refused
    headers, meta = same_session(response.request)
    priority = given.get("priority", 0)
    state = CaptchaState(
        asked=True,
        priority=priority,
        dont_filter=given.get("dont_filter", False),
        cookies=given.get("cookies") or {},
    )
    meta = meta | {KEY: state.to_meta()}
    return Request(response.url, headers=headers, meta=meta, priority=priority)


def _without_internals(meta: Mapping[str, Any]) -> dict[str, Any]:
    """*meta* without the keys of HttpProxyMiddleware, which Scrapy warns of if spiders copy them.

    It sets them again, since the proxy and its credentials are in the request.
    """
    return {key: value for key, value in meta.items() if key not in _OF_HTTP_PROXY}


def _carrier(bought: Request, captcha: Captcha, given: Mapping[str, Any]) -> Request:
    """The request that the spider sends: the form without its answer, and the answer's name."""
    own = {
        "headers": {**dict(bought.headers), **(given.get("headers") or {})},
        "meta": {**(given.get("meta") or {}), **_without_internals(bought.meta)},
        "priority": bought.priority + FIRST,
        "dont_filter": True,  # the same form data may be sent again
    }
    request = Request(bought.url, **{**given, **own})
    if captcha.form is not None:
        request = request.replace(**as_browsers_send(request, captcha.form, {}))
    return request
