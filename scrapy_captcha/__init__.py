"""Captcha handling for Scrapy: captcha pages are detected, solved by a service, and replayed.

Public is what stands in ``__all__`` here, in `scrapy_captcha.providers`, `scrapy_captcha.sandbox`
and `scrapy_captcha.signals`. All other modules are internal and may change with any version.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy_captcha.addon import Addon
    from scrapy_captcha.asking import captcha_request
    from scrapy_captcha.crawl.submission import build_submission
    from scrapy_captcha.detection import Detection, HtmlPage, Page, Verdict, detect
    from scrapy_captcha.errors import ErrorCode, SolverError
    from scrapy_captcha.exceptions import CaptchaError
    from scrapy_captcha.middleware import CaptchaMiddleware
    from scrapy_captcha.models import Captcha, Form, Kind, Solution
    from scrapy_captcha.policy import Action, Policy
    from scrapy_captcha.proxy import Proxy
    from scrapy_captcha.solver.client import SolverClient

__version__ = "0.1.0"

__all__ = [
    "Action",
    "Addon",
    "Captcha",
    "CaptchaError",
    "CaptchaMiddleware",
    "Detection",
    "ErrorCode",
    "Form",
    "HtmlPage",
    "Kind",
    "Page",
    "Policy",
    "Proxy",
    "Solution",
    "SolverClient",
    "SolverError",
    "Verdict",
    "__version__",
    "build_submission",
    "captcha_request",
    "detect",
]

_HOME = {
    "Action": "policy",
    "Addon": "addon",
    "Captcha": "models",
    "CaptchaError": "exceptions",
    "CaptchaMiddleware": "middleware",
    "Detection": "detection",
    "ErrorCode": "errors",
    "Form": "models",
    "HtmlPage": "detection",
    "Kind": "models",
    "Page": "detection",
    "Policy": "policy",
    "Proxy": "proxy",
    "Solution": "models",
    "SolverClient": "solver.client",
    "SolverError": "errors",
    "Verdict": "detection",
    "build_submission": "crawl.submission",
    "captcha_request": "asking",
    "detect": "detection",
}


def __getattr__(name: str) -> object:
    # Imported on first use: pytest loads this package for the sandbox's fixture in every run.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
