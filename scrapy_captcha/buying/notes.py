"""Saves the state of a purchase, so that the next run of a job can continue it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scrapy_captcha.state import KEY, CaptchaState

if TYPE_CHECKING:
    from scrapy.http import Request

    from scrapy_captcha.store.journal import Journal


class Notes:
    """Writes the state of parked requests to their meta and to the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def note(self, ticket: Request, **changes: Any) -> None:
        """Changes fields of the CaptchaState of *ticket*."""
        self.write(ticket, replace(CaptchaState.of(ticket.meta), **changes))

    def write(self, ticket: Request, state: CaptchaState) -> None:
        """Saves *state* as that of *ticket*."""
        ticket.meta[KEY] = state.to_meta()
        self._journal.update(ticket)
