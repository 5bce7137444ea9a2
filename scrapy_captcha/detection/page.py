"""The page as a detector needs it, which Scrapy's responses and HtmlPage both are."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from parsel import Selector
from w3lib.encoding import html_to_unicode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


# Statuses with which sites refuse a page.
REFUSALS = frozenset((401, 403, 405, 412, 418, 429, 468, 503))


class Headers(Protocol):
    """Response headers, looked up without regard to case."""

    def __iter__(self) -> Iterator[str | bytes]:
        """Their names."""
        ...

    def get(self, name: str, /) -> str | bytes | None:
        """The last value of the header *name*, None where it is missing."""
        ...


class Page(Protocol):
    """A page as received. ``scrapy.http.TextResponse`` is one as it stands."""

    @property
    def url(self) -> str:
        """The absolute URL that the page came from."""
        ...

    @property
    def body(self) -> bytes:
        """The page, decompressed."""
        ...

    @property
    def status(self) -> int | None:
        """The HTTP status, None if it is unknown (saved pages)."""
        ...

    @property
    def headers(self) -> Headers:
        """The response headers."""
        ...

    @property
    def selector(self) -> Selector:
        """The parsed page; detection asks for it only where the bytes look suspicious."""
        ...


class _PlainHeaders:
    def __init__(self, headers: Mapping[str, str]) -> None:
        self._values = {name.lower(): value for name, value in headers.items()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def get(self, name: str, /) -> str | None:
        return self._values.get(name.lower())


class HtmlPage:
    """A page that is no Scrapy response: a saved file, or the answer of another client."""

    def __init__(
        self,
        url: str,
        body: bytes,
        status: int | None = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.url = url
        self.body = body
        self.status = status
        self.headers: Headers = _PlainHeaders(headers or {})

    @cached_property
    def selector(self) -> Selector:
        """The page parsed as HTML, once."""
        content_type = self.headers.get("Content-Type")
        declared = content_type if isinstance(content_type, str) else None
        _, text = html_to_unicode(declared, self.body)
        return Selector(text=text, type="html", base_url=self.url)
