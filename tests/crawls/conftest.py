"""What crawls in tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from scrapy.downloadermiddlewares import cookies
from tldextract import TLDExtract

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True, scope="session")
def _no_public_suffix_download() -> Iterator[None]:
    """Scrapy's cookies would fetch the public suffix list at the first cookie of a run."""
    with pytest.MonkeyPatch.context() as patch:
        offline = TLDExtract(suffix_list_urls=(), include_psl_private_domains=True)
        patch.setattr(cookies, "_split_domain", offline)
        yield
