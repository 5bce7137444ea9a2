"""The outcome of a page that solves for its session."""

from __future__ import annotations

from enum import Enum


class Outcome(Enum):
    """The outcome of the page that solved for its session."""

    OPENED = "the site took its solution"
    TRIAL = "the site took its solution; one page tries what that opens"
    MOVED = "it went on in another session"
    FAILED = "it was given up"
    PENDING = "not known yet"
