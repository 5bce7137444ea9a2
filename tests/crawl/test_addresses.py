"""Which hosts are public, however they are written."""

from __future__ import annotations

import pytest

from scrapy_captcha.crawl.addresses import address_of, is_public

LOOPBACK = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "2130706433",
    "0x7f.1",
    "0X7F000001",
    "017700000001",
    "0177.0.0.01",
    "[::1]",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "64:ff9b::127.0.0.1",
    "2002:7f00:1::",
    "localhost",
    "LOCALHOST",
    "a.localhost.",
]
PRIVATE = [
    "0",
    "0.0",
    "10.1.2.3",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "224.0.0.1",
    "255.255.255.255",
    "fd00:ec2::254",
    "fe80::1%eth0",
    "ff02::1",
    "64:ff9b::10.0.0.1",
]
PUBLIC = ["1.2.3.4", "16909060", "8.8.8.8", "2606:4700::1111", "64:ff9b::1.2.3.4"]
NAMES = ["", "abc", "1.2.3.4.5", "08", "1.1.1.256", "4294967296", "0xg", "1_0", "²", "9" * 5000]


@pytest.mark.parametrize("host", LOOPBACK + PRIVATE)
def test_an_address_that_is_not_on_the_internet_is_known_in_any_spelling(host: str) -> None:
    address = address_of(host)

    assert address is not None
    assert not is_public(address)


@pytest.mark.parametrize("host", PUBLIC)
def test_other_addresses_are_public(host: str) -> None:
    address = address_of(host)

    assert address is not None
    assert is_public(address)


@pytest.mark.parametrize("host", NAMES)
def test_a_name_has_no_address(host: str) -> None:
    assert address_of(host) is None
    assert not is_public(host)
