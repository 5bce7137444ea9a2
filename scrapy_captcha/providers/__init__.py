"""Solver services, as conversations without I/O, and the base classes of custom ones."""

from collections.abc import Mapping

from scrapy_captcha.providers.anticaptcha import AntiCaptcha
from scrapy_captcha.providers.base import Body, Call, Flow, Order, Provider, Reply, TaskId
from scrapy_captcha.providers.capmonster import CapMonster
from scrapy_captcha.providers.capsolver import CapSolver
from scrapy_captcha.providers.createtask import CreateTask
from scrapy_captcha.providers.generic import Generic
from scrapy_captcha.providers.meanings import Meaning
from scrapy_captcha.providers.polling import PollingRules
from scrapy_captcha.providers.tasks import TaskType
from scrapy_captcha.providers.twocaptcha import RuCaptcha, TwoCaptcha
from scrapy_captcha.providers.unified import Unified

# By the names in CAPTCHA_PROVIDERS.
PROVIDERS: Mapping[str, type[Provider]] = {
    provider.name: provider
    for provider in (Unified, AntiCaptcha, TwoCaptcha, RuCaptcha, CapSolver, CapMonster, Generic)
}

__all__ = [
    "AntiCaptcha",
    "Body",
    "Call",
    "CapMonster",
    "CapSolver",
    "CreateTask",
    "Flow",
    "Generic",
    "Meaning",
    "Order",
    "PollingRules",
    "Provider",
    "Reply",
    "RuCaptcha",
    "TaskId",
    "TaskType",
    "TwoCaptcha",
    "Unified",
]
