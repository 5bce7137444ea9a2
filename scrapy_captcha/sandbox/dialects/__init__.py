"""The dialects of services; their behaviour is the same for all, and is in ``solver.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .anticaptcha import AntiCaptcha
from .base import Dialect
from .capmonster import CapMonster
from .capsolver import CapSolver
from .generic import Generic
from .twocaptcha import RuCaptcha, TwoCaptcha
from .unified import Unified

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DIALECTS", "Dialect"]

DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect()
    for dialect in (Unified, AntiCaptcha, TwoCaptcha, RuCaptcha, CapSolver, CapMonster, Generic)
}
