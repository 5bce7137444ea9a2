"""A plugin of proxy.py, which runs in the processes of the proxies: writes down what it forwards."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.http.proxy import HttpProxyBasePlugin

if TYPE_CHECKING:
    from proxy.http.parser import HttpParser


class Log(HttpProxyBasePlugin):
    """A line of JSON for each request: what was asked for, and the credentials that were shown."""

    def handle_client_request(self, request: HttpParser) -> HttpParser | None:
        """Called for each request that is let in."""
        shown = (request.headers or {}).get(b"proxy-authorization", (b"", b""))[1]
        asked = f"{(request.method or b'').decode()} {(request.path or b'').decode()}"
        with Path(os.environ["FORWARDED"]).open("a") as log:
            log.write(json.dumps([asked, shown.decode()]) + "\n")
        if shown:  # the package itself forgets that from the second request of a connection on
            request.del_header(b"proxy-authorization")
        return request
