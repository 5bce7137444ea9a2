"""A local solver service and a local site behind captchas, to test spiders without spending money.

In a program that runs a Twisted reactor::

    sandbox = Sandbox(SolverOptions(solve_time=0.5), SiteOptions(pages=20))
    await sandbox.start()
    ...  # crawl sandbox.site_url with sandbox.settings
    await sandbox.stop()

The solver speaks the unified API and the dialects of the services that are in use, each with an
account of its own: see ``Sandbox.url_of`` and ``Sandbox.services``.

From a shell: ``python -m scrapy_captcha.sandbox --help``. In pytest: the fixture
``captcha_sandbox``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .fixture import SandboxProcess
    from .guards import Guard, Mode, Passage, Shown
    from .options import SolverOptions
    from .script import Answer, Fault
    from .server import Sandbox
    from .site import SiteOptions

__all__ = [
    "Answer",
    "Fault",
    "Guard",
    "Mode",
    "Passage",
    "Sandbox",
    "SandboxProcess",
    "Shown",
    "SiteOptions",
    "SolverOptions",
]

_HOME = {
    "Answer": "script",
    "Fault": "script",
    "Guard": "guards",
    "Mode": "guards",
    "Passage": "guards",
    "Sandbox": "server",
    "SandboxProcess": "fixture",
    "Shown": "guards",
    "SiteOptions": "site",
    "SolverOptions": "options",
}


def __getattr__(name: str) -> object:
    # Imported on first use: pytest loads this package with the fixture, in every run.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
