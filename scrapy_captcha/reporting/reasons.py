"""The reasons to give up a page, other than errors, as in stats, errbacks and the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scrapy_captcha.errors import ERRORS, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping


class Reason(NamedTuple):
    """The *meaning* of a reason, and what to do about it, "" for nothing."""

    meaning: str
    advice: str = ""


_OWN_WAY = "send it back with captcha_submit on the spider"

REASONS: Mapping[str, Reason] = {
    "rejected": Reason("CAPTCHA_RETRY_TIMES solutions were bought, and the site rejected the last"),
    "wall": Reason(
        "the site has rejected twelve solutions in a row; in ten minutes one more is tried"
    ),
    "undelivered": Reason(
        "three solutions in a row could not be sent to the site; in ten minutes one more is tried"
    ),
    "domain": Reason(
        "the page is of a domain outside allowed_domains or CAPTCHA_DOMAINS",
        "add it to the spider's allowed_domains, and to CAPTCHA_DOMAINS where that is set",
    ),
    "jobdir": Reason("another crawl uses the same JOBDIR"),
    "budget": Reason("a limit on solves or money is reached"),
    "loss": Reason("CAPTCHA_MAX_LOSS_PER_SITE was spent at the site without a page for it"),
    "per_page": Reason(
        "pages of the site took more than CAPTCHA_MAX_SOLVES_PER_PAGE solutions each; in ten "
        "minutes one more is tried"
    ),
    "dry_run": Reason("with CAPTCHA_DRY_RUN nothing is bought"),
    "site_key": Reason(
        "the page shows no site key, and its request declares none",
        'declare it: meta={"captcha": {"kind": "…", "site_key": "…"}}',
    ),
    "no_form": Reason(
        "the page has no form that takes the answer, and the spider no captcha_submit", _OWN_WAY
    ),
    "other_origin": Reason("the form would send the token to another origin", _OWN_WAY),
    "get_form": Reason(
        "the form would put the token into a URL; what was read in a picture may go there, since "
        "it is good nowhere else",
        _OWN_WAY,
    ),
    "no_cookies": Reason(
        "the answer is a cookie, or the site remembers it by one, and none is kept",
        "remove COOKIES_ENABLED = False",
    ),
    "offsite": Reason("after its captcha the page redirects to a domain outside allowed_domains"),
    "picture": Reason("the picture could not be fetched, is none, or is from elsewhere"),
    "svg": Reason(
        "the picture is a drawing (SVG), and services take bitmaps only",
        'declare another kind, or leave the page alone: meta={"captcha": False}',
    ),
    "no_proxy": Reason("no proxy of CAPTCHA_PROXIES may be used for the site now"),
    "lost": Reason("the solution for a form has expired, or was held by a run that has ended"),
    "closing": Reason("the crawl ended while a solution was awaited"),
    "error": Reason(
        "something broke, in a method of the spider or in here; the log has the traceback"
    ),
}
_OF_ERRORS: Mapping[str, Reason] = {
    **{code.value: Reason(info.meaning) for code, info in ERRORS.items()},
    ErrorCode.METHOD_INVALID.value: Reason(  # no service is asked then
        "none of CAPTCHA_PROVIDERS sells this captcha",
        "add a provider that does; some are sold with CAPTCHA_PROXIES only",
    ),
}
_WALL = Reason("a bot wall")


def reason_for(name: str) -> Reason:
    """The reason *name*: a word of `REASONS`, the code of an error, or the name of a wall."""
    return REASONS.get(name) or _OF_ERRORS.get(name, _WALL)
