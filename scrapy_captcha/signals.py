"""Signals that the plugin sends, beside Scrapy's own."""

from __future__ import annotations

__all__ = ["proxy_refused"]

# A proxy that is not of CAPTCHA_PROXIES could not be solved through. Whoever set it may answer with
# the URL of another, or with True to have the page fetched again and set another then. Receivers
# are called with *request*, *code* (of the table of errors) and *spider*.
proxy_refused = object()
