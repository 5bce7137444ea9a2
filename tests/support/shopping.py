"""Crawls that buy at several services of the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crawling import API_KEY

from scrapy_captcha.providers import CreateTask, PollingRules

if TYPE_CHECKING:
    from scrapy_captcha.providers import Provider
    from scrapy_captcha.sandbox import Sandbox


def hurried(provider: type[Provider]) -> type[Provider]:
    """The same service for those who do not wait as long as it asks for: the sandbox forgives it."""
    assert issubclass(provider, CreateTask)
    return type(provider.__name__, (provider,), {"rules": PollingRules()})


def shopping(running: Sandbox, *providers: type[Provider], **more: Any) -> dict[str, Any]:
    """Settings of a crawl that buys at *providers*, in a hurry."""
    names = [provider.name for provider in providers]
    return {
        "CAPTCHA_PROVIDERS": [hurried(provider) for provider in providers],
        "CAPTCHA_API_URLS": {name: running.url_of(name) for name in names},
        "CAPTCHA_KEYS": dict.fromkeys(names, API_KEY),
        "CAPTCHA_API_URL": None,
        "CAPTCHA_API_KEY": None,
        **more,
    }


def tasks_at_once(running: Sandbox) -> int:
    """The most tasks that were open for one page at any time, at all services together."""
    edges: dict[str, list[tuple[float, int]]] = {}
    for solver in running.services.values():
        for task in solver._purchases.values():
            page = edges.setdefault(task.order.url, [])
            page += [(task.made_at, 1), (task.ready_at, -1)]
    most = 0
    for page in edges.values():
        open_now = 0
        for _, change in sorted(page, key=lambda edge: (edge[0], -edge[1])):
            open_now += change
            most = max(most, open_now)
    return most


def calls(running: Sandbox, method: str = "") -> int:
    """How many calls there were, at all services together."""
    return sum(
        call.method == method or not method
        for solver in running.services.values()
        for call in solver.calls
    )
