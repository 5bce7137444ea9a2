"""Coroutines whose cancel is never lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


class Cancellation:
    """Whether a cancel has come.

    The exception that a cancelled wait ends with does not tell: while a host name is resolved it
    is DNSLookupError, as where there is no such host.
    """

    is_requested = False


def cancellable(
    story: Callable[[Cancellation], Coroutine[Deferred[Any], Any, T]],
) -> Deferred[T]:
    """What *story* ends with. Cancelled, it fails with CancelledError at once.

    A *story* that catches the exceptions of what it waits for is to ask its `Cancellation` then.
    """
    cancellation = Cancellation()

    def cancel(_ended: Deferred[T]) -> None:
        cancellation.is_requested = True
        begun.cancel()

    def end(result: T | Failure) -> None:
        if cancellation.is_requested and isinstance(result, Failure):
            result = Failure(CancelledError())
        if not ended.called:
            ended.callback(result)

    ended: Deferred[T] = Deferred(cancel)
    begun = Deferred.fromCoroutine(story(cancellation))
    begun.addBoth(end)
    return ended
