"""Inputs that nobody sane would send: documents with damage, JSON of any shape."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

_JUNK = (
    *(b"\0", b"\r\n", b"\x1b[31m", b"\xff\xfe", b'"', b"'", b"<", b">", b"</form>", b"<!--", b"]]"),
    *(b"{", b"}", b"[", b"[" * 2000, b"NaN", b"1e999", b"-1", b"9" * 5000, b"null", b"true"),
    *(
        "\u202e".encode(),
        "\ud7ff".encode(),
        b"\\ud800",
        b"x" * 10_000,
        b"%00",
        b"&#0;",
        b"://",
        b"@",
    ),
)
_WORDS = (
    *("ready", "processing", "failed", "", "CAPACITY", "ERROR_NO_SLOT_AVAILABLE", "NaN", "5", "-1"),
    *("Wed, 21 Oct 2015 07:28:00 GMT", "a\r\nb", "\x1b[31m", "\u202e", "\ud800", "x" * 9000),
)
_NUMBERS = (0, 1, -1, 0.5, 1e12, 10**400, 2**63, math.inf, -math.inf, math.nan, True, False)
_FIELDS = (
    *("error", "message", "retryable", "retryAfter", "errorId", "errorCode", "errorDescription"),
    *("taskId", "status", "solution", "cost", "balance", "createTime", "endTime", "token", "text"),
    *("gRecaptchaResponse", "cookies", "cookie", "domains", "userAgent", "data", "validate"),
)


def damaged(random: Random, seeds: Sequence[bytes]) -> bytes:
    """One of *seeds* after one to four accidents."""
    data = random.choice(seeds)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(data) + 1)
        to = min(len(data), at + random.choice((0, 1, 2, 8, 64, 512)))
        between = random.choice(
            (b"", random.choice(_JUNK), random.randbytes(random.randint(1, 8)), data[at:to] * 2)
        )
        data = data[:at] + between + data[to:]
    return data


def anything(random: Random, depth: int = 3) -> object:
    """A value that JSON, or Python's reading of it, has."""
    shape = random.randrange(8 if depth else 6)
    if shape < 2:
        return random.choice(_WORDS)
    if shape < 4:
        return random.choice(_NUMBERS)
    if shape < 6:
        return None
    if shape == 6:
        return [anything(random, depth - 1) for _ in range(random.randrange(4))]
    return {random.choice(_FIELDS): anything(random, depth - 1) for _ in range(random.randrange(6))}


def answer(random: Random) -> bytes:
    """The body of an answer: JSON, or what once was."""
    fields = {name: anything(random) for name in random.sample(_FIELDS, random.randrange(8))}
    fields["solution"] = anything(random)
    fields["status"] = random.choice(("ready", "ready", "processing", anything(random)))
    body = json.dumps(fields).encode()
    return damaged(random, (body,)) if random.random() < 0.3 else body


def text(random: Random, seeds: Sequence[str]) -> str:
    """One of *seeds* after some accidents, as text."""
    return damaged(random, [seed.encode() for seed in seeds]).decode("utf-8", "surrogateescape")
