"""Failures of a download that are due to its proxy, and not to the site."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scrapy.core.downloader.handlers.http11 import TunnelError
from twisted.internet import error
from twisted.web.client import ResponseFailed

from scrapy_captcha.proxy import Rest

if TYPE_CHECKING:
    from scrapy.http import Response

_AUTH_REQUIRED = 407
_REFUSED_TUNNEL = re.compile(r"'status': 407\b")
# By name, as Scrapy has had exceptions of its own for them since 2.15 only.
_UNREACHABLE = frozenset({"DownloadConnectionRefusedError", "CannotResolveHostError"})
_UNCLEAR = frozenset({"DownloadTimeoutError", "DownloadFailedError"})


def failure_of_proxy(exception: Exception) -> Rest | None:
    """How the proxy is treated after *exception*; None if the site may have failed instead.

    A download through a proxy connects to the proxy only: a failure before there is a connection
    is the proxy's.
    """
    if isinstance(exception, TunnelError):
        return Rest.OUT if _REFUSED_TUNNEL.search(str(exception)) else None
    if _is(exception, _UNREACHABLE, error.DNSLookupError):
        return Rest.GROWING
    # Twisted's own timeout is that of the whole download.
    is_connecting = isinstance(exception, error.ConnectError) and not isinstance(
        exception, error.TimeoutError
    )
    return Rest.GROWING if is_connecting else None


def may_be_of_proxy(exception: Exception) -> bool:
    """Whether the proxy or the site has failed, and it is not known which."""
    unclear: Any = (TunnelError, error.TimeoutError, error.ConnectionClosed, ResponseFailed)
    return _is(exception, _UNCLEAR, unclear)


def is_refusal_of_proxy(response: Response) -> bool:
    """Whether *response* is of the proxy, which rejects its credentials."""
    return response.status == _AUTH_REQUIRED


def _is(exception: Exception, names: frozenset[str], classes: Any) -> bool:
    return type(exception).__name__ in names or isinstance(exception, classes)
