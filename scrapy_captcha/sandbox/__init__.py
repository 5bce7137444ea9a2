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
    from .calls import Call
    from .guards import Gatekeeper, Guard, Mode, Passage, Shown
    from .options import SolverOptions
    from .purchases import Report
    from .script import Answer, Fault
    from .server import Sandbox
    from .site import CaptchaSite, SiteOptions, Visit
    from .solver import Solver
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
    "Report",
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
    "Call": "calls",
    "CaptchaSite": "site",
    "Fault": "script",
    "Gatekeeper": "guards",
    "Guard": "guards",
    "Mode": "guards",
    "Passage": "guards",
    "Reason": "tokens",
    "Report": "purchases",
    "Sandbox": "server",
    "Shown": "guards",
    "SiteOptions": "site",
    "Solver": "solver",
    "SolverOptions": "options",
    "TokenBook": "tokens",
    "Visit": "site",
}


def __getattr__(name: str) -> object:
    # Imported on first use: pytest loads this package with the fixture, in every run.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
