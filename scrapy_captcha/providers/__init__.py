"""Solver services, each as a conversation without I/O."""

from scrapy_captcha.providers.base import Body, Call, Flow, Order, Provider, Reply, TaskId, TaskType
from scrapy_captcha.providers.unified import Unified

__all__ = ["Body", "Call", "Flow", "Order", "Provider", "Reply", "TaskId", "TaskType", "Unified"]
