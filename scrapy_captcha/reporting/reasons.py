"""The reasons to give up a page, other than errors, as in stats, errbacks and the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "rejected": "CAPTCHA_RETRY_TIMES solutions were bought, and the site rejected the last",
    "wall": "the site has rejected twelve solutions in a row; in ten minutes one more is tried",
    "undelivered": (
        "three solutions in a row could not be sent to the site; in ten minutes one more is tried"
    ),
    "domain": "the page is of a domain outside allowed_domains or CAPTCHA_DOMAINS",
    "jobdir": "another crawl uses the same JOBDIR",
    "budget": "a limit on solves or money is reached",
    "loss": "CAPTCHA_MAX_LOSS_PER_SITE was spent at the site without a page for it",
    "per_page": (
        "pages of the site took more than CAPTCHA_MAX_SOLVES_PER_PAGE solutions each; in ten "
        "minutes one more is tried"
    ),
    "dry_run": "with CAPTCHA_DRY_RUN nothing is bought",
    "site_key": "the page shows no site key, and its request declares none",
    "no_form": "the page has no form that takes the answer, and the spider no captcha_submit",
    "other_origin": "the form would send the token to another origin",
    "get_form": "the form would put the token into a URL; what was read in a picture may go there,"
    " since it is good nowhere else",
    "no_cookies": "the answer is a cookie, or the site remembers it by one, and none is kept",
    "offsite": "after its captcha the page redirects to a domain outside allowed_domains",
    "picture": "the picture could not be fetched, is none, or is from elsewhere",
    "svg": "the picture is a drawing (SVG), and services take bitmaps only",
    "no_proxy": "no proxy of CAPTCHA_PROXIES may be used for the site now",
    "lost": "the solution for a form has expired, or was held by a run that has ended",
    "closing": "the crawl ended while a solution was awaited",
    "error": "something broke, in a method of the spider or in here; the log has the traceback",
}
