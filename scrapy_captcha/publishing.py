"""Events are published once, and heard by all that listen.

A listener gets data and never the engine. One that raises is logged, and harms nothing else.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy_captcha.events import Event

logger = logging.getLogger(__name__)


class Events:
    """Hands each event to all listeners, in the order in which they began to listen."""

    def __init__(self, *listeners: Callable[[Event], object]) -> None:
        self._listeners = listeners

    def publish(self, event: Event) -> None:
        """*event* has happened."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                logger.exception("%r could not be handled", type(event).__name__)
