"""The dialects of services; their behaviour is the same for all, and is in ``solver.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .anticaptcha import AntiCaptchaDialect
from .base import Dialect
from .capmonster import CapMonsterDialect
from .capsolver import CapSolverDialect
from .generic import GenericDialect
from .twocaptcha import RuCaptchaDialect, TwoCaptchaDialect
from .unified import UnifiedDialect

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DIALECTS", "Dialect"]

DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect()
    for dialect in (
        UnifiedDialect,
        AntiCaptchaDialect,
        TwoCaptchaDialect,
        RuCaptchaDialect,
        CapSolverDialect,
        CapMonsterDialect,
        GenericDialect,
    )
}
