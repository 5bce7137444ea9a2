"""The signals of the plugin. Receivers get *spider* as well."""

from __future__ import annotations

__all__ = [
    "buying_stopped",
    "captcha_detected",
    "captcha_given_up",
    "captcha_solved",
    "proxy_refused",
    "solution_accepted",
    "solution_rejected",
]

# A captcha stands instead of the page of *request*; *captcha* is a `Captcha`. Once for each page.
captcha_detected = object()

# A service has solved *captcha* for *request*; the solution has not been sent yet.
captcha_solved = object()

# The site has given the page of *request* for the solution.
solution_accepted = object()

# After the solution the site shows *name*, a captcha or a bot wall, to *request*.
solution_rejected = object()

# The page of *request* goes to its errback for *reason*, a word of the table of reasons.
captcha_given_up = object()

# Nothing is bought from *provider* any more, for *code* of the table of errors.
buying_stopped = object()

# A proxy that is not of CAPTCHA_PROXIES could not be solved through. The component that set it may
# answer with the URL of another, or with True to have the page fetched again and set another then.
# Receivers are given *request* and *code* (of the table of errors).
proxy_refused = object()
