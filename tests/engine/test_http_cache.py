"""What comes out of a cache is looked at as a crawl would see it."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.http import HtmlResponse, Request, Response
from scrapy.utils.test import get_crawler

from scrapy_captcha.engine.http_cache import _decoded

REQUEST = Request("https://example.com/")
PAGE = b"<html><body>caf\xc3\xa9</body></html>"
DECODER = HttpCompressionMiddleware(crawler=get_crawler(settings_dict={"DOWNLOAD_MAXSIZE": 10_000}))
DECODER.stats = None


def stored(body: bytes, encoding: str) -> Response:
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Encoding": encoding}
    return Response(REQUEST.url, headers=headers, body=body)


@pytest.mark.parametrize(
    ("encoding", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_a_compressed_page_is_decoded_and_stays_stored_as_it_is(encoding: str, encode: Any) -> None:
    response = stored(encode(PAGE), encoding)
    decoded = _decoded(DECODER, REQUEST, response)

    assert isinstance(decoded, HtmlResponse)
    assert decoded.text == PAGE.decode()
    assert response.body == encode(PAGE)
    assert response.headers["Content-Encoding"] == encoding.encode()


@given(body=st.binary(), encoding=st.sampled_from(["gzip", "x-gzip", "deflate", "gzip, gzip"]))
def test_what_cannot_be_decoded_is_looked_at_as_it_is(body: bytes, encoding: str) -> None:
    response = stored(b"<" + body, encoding)

    assert _decoded(DECODER, REQUEST, response).body in (response.body, b"")


def test_no_more_is_decoded_than_may_be_downloaded() -> None:
    bomb = stored(gzip.compress(b" " * 1_000_000), "gzip")

    assert _decoded(DECODER, REQUEST, bomb) is bomb
