"""The reactor that runs for the length of a sub-command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

if TYPE_CHECKING:
    from collections.abc import Coroutine


def run_in_reactor(coroutine: Coroutine[Deferred[Any], Any, int]) -> int:
    """Runs *coroutine* once, for its exit code; 1 if it fails or is interrupted."""
    codes: list[int] = []

    async def run() -> None:
        codes.append(await coroutine)

    try:
        react(lambda _reactor: Deferred.fromCoroutine(run()))
    except SystemExit:
        return codes[0] if codes else 1
