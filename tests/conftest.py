"""What all tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Ends the run after a test that has stopped the reactor, as one that times out does.

    All that come after it would fail for that, and hide it.
    """
    done = yield
    reactor = pytest_twisted._instances.gr_twisted
    if reactor is not None and reactor.dead:
        item.session.shouldfail = f"{item.nodeid} has stopped the reactor"
    return done
