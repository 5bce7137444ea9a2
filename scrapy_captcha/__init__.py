"""Captcha handling for Scrapy: captcha pages are detected, solved by a service, and replayed."""

from scrapy_captcha.addon import Addon
from scrapy_captcha.captchas import Captcha, Form, Kind, Solution
from scrapy_captcha.client import SolverClient
from scrapy_captcha.detection import Detection, HtmlPage, Verdict, detect
from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.exceptions import CaptchaError
from scrapy_captcha.middleware import CaptchaMiddleware

__all__ = [
    "Addon",
    "Captcha",
    "CaptchaError",
    "CaptchaMiddleware",
    "Detection",
    "ErrorCode",
    "Form",
    "HtmlPage",
    "Kind",
    "Solution",
    "SolverClient",
    "SolverError",
    "Verdict",
    "detect",
]
