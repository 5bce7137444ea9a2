"""A local solver service and a local site behind captchas, to test spiders without spending money.

In a program that runs a Twisted reactor::

    sandbox = Sandbox(SolverOptions(solve_time=0.5), SiteOptions(pages=20))
    await sandbox.start()
    ...  # crawl sandbox.site_url with sandbox.settings
    await sandbox.stop()

From a shell: ``python -m scrapy_captcha.sandbox --help``. In pytest: the fixture
``captcha_sandbox``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .guards import Gatekeeper, Guard, Mode, Passage, Shown
    from .script import Answer, Fault
    from .server import Sandbox
    from .site import CaptchaSite, SiteOptions, Visit
    from .solver import Call, Solver, SolverOptions
    from .tokens import Reason, TokenBook

__all__ = [
    "Answer",
    "Call",
    "CaptchaSite",
    "Fault",
    "Gatekeeper",
    "Guard",
    "Mode",
    "Passage",
    "Reason",
    "Sandbox",
    "Shown",
    "SiteOptions",
    "Solver",
    "SolverOptions",
    "TokenBook",
    "Visit",
]

_HOME = {
    "Answer": "script",
    "Call": "solver",
    "CaptchaSite": "site",
    "Fault": "script",
    "Gatekeeper": "guards",
    "Guard": "guards",
    "Mode": "guards",
    "Passage": "guards",
    "Reason": "tokens",
    "Sandbox": "server",
    "Shown": "guards",
    "SiteOptions": "site",
    "Solver": "solver",
    "SolverOptions": "solver",
    "TokenBook": "tokens",
    "Visit": "site",
}


def __getattr__(name: str) -> object:
    # Imported on first use: pytest loads this package with the fixture, in every run.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
