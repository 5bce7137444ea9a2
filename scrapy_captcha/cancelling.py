"""Coroutines whose cancellation is never lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


class Cancellation:
    """Whether a coroutine was cancelled.

    The exception of a cancelled wait does not show it: while a host name is resolved it is
    DNSLookupError, as for an unknown host.
    """

    is_requested = False


def cancellable(
    coroutine: Callable[[Cancellation], Coroutine[Deferred[Any], Any, T]],
) -> Deferred[T]:
    """The result of *coroutine*. When cancelled, it fails with CancelledError at once.

    A coroutine that catches exceptions of its waits has to check its `Cancellation` then.
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
    begun = Deferred.fromCoroutine(coroutine(cancellation))
    begun.addBoth(end)
    return ended
