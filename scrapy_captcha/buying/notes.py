"""What is noted of a purchase, so that the next run of a job can go on with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scrapy_captcha.state import KEY, CaptchaState

if TYPE_CHECKING:
    from scrapy.http import Request

    from scrapy_captcha.store.journal import Journal


class Notes:
    """Writes to a ticket's meta, and to its entry in the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def note(self, ticket: Request, **changes: Any) -> None:
        """*changes* are fields of the ticket's CaptchaState."""
        self.write(ticket, replace(CaptchaState.of(ticket.meta), **changes))

    def write(self, ticket: Request, state: CaptchaState) -> None:
        """*ticket* has come as far as *state*."""
        ticket.meta[KEY] = state.to_meta()
        self._journal.update(ticket)
