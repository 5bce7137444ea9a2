"""Reading calls, options and blocks out of scripts, without running or parsing them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# How much of a script is read from where a call begins.
_CALL = 1500
_MAX_CALLS = 10
_TARGET = re.compile(r"[\s({=,]{0,20}(?:document\.getElementById\()?[\"']#?([\w:.-]{1,64})[\"']")
_OPTION = re.compile(
    r"[\"']?\b([A-Za-z][\w-]{1,40})[\"']?\s{0,9}:\s{0,9}(?:\"([^\"\n]{0,4096})\"|'([^'\n]{0,4096})')"
)
_NAMED = re.compile(
    r"[\"']?\b([A-Za-z][\w-]{1,40})[\"']?\s{0,9}:\s{0,9}([A-Za-z_$][\w$]{0,63})\s{0,9}[,}\n]"
)
_CONSTANT = re.compile(
    r"\b(?:const|let|var)\s{1,9}([A-Za-z_$][\w$]{0,63})\s{0,9}=\s{0,9}[\"']([^\"'\n]{1,4096})[\"']"
)
# The content once more, put down for a framework: ``window.__NUXT__=…``, ``self.__next_f.push(…)``.
_DATA = re.compile(r"\s*\(?(?:self|window|globalThis)\.__\w+\s*(?:=|\.push(?=\())")
# A string, which may lack its end, or what opens and closes.
_TOKEN = re.compile(r"\"[^\"\\\n]*(?:\\.[^\"\\\n]*)*\"?|'[^'\\\n]*(?:\\.[^'\\\n]*)*'?|[()\[\]{};]")
_DEPTHS = dict.fromkeys("([{", 1) | dict.fromkeys(")]}", -1)


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """A call in a script: the id of the element it names, and its options.

    Options have literal values, or are given the name of a variable that has one. The names of the
    options are in lower case.
    """

    target: str | None
    options: Mapping[str, str]

    @property
    def key(self) -> str | None:
        """The site key that the call gives."""
        return self.options.get("sitekey")


def calls(script: str, names: tuple[str, ...], length: int = _CALL) -> Iterator[ScriptCall]:
    """The calls in *script* that begin with one of *names*, each read over *length* characters."""
    constants: dict[str, str] | None = None
    for name in names:
        at = script.find(name)
        for _ in range(_MAX_CALLS):
            if at < 0:
                break
            start = at + len(name)
            text = script[start : start + length]
            target = _TARGET.match(text)
            if constants is None:
                constants = _constants(script)
            yield ScriptCall(target[1] if target else None, _named(text, constants) | options(text))
            at = script.find(name, start)


def _constants(script: str) -> dict[str, str]:
    """The variables of *script* that are declared with a string, the first of each name."""
    found: dict[str, str] = {}
    for name, value in _CONSTANT.findall(script):
        found.setdefault(name, value)
    return found


def _named(text: str, constants: Mapping[str, str]) -> dict[str, str]:
    """The ``name: variable`` pairs of *text* whose variable is one of *constants*."""
    pairs = _NAMED.findall(text) if constants else []
    return {name.lower(): constants[value] for name, value in pairs[::-1] if value in constants}


def options(text: str) -> dict[str, str]:
    """The ``name: "value"`` pairs of *text*, the first of each name; names in lower case."""
    found: dict[str, str] = {}
    for match in _OPTION.finditer(text):
        value = match[2] if match[2] is not None else match[3]
        found.setdefault(match[1].lower(), value)
    return found


def literal(script: str, name: str) -> str | None:
    """The first string that *script* gives to *name*, as an option or as a variable."""
    pattern = rf"\b{re.escape(name)}[\"']?\s{{0,9}}[:=]\s{{0,9}}[\"']([^\"'\n]{{1,4096}})[\"']"
    match = re.search(pattern, script)
    return match[1] if match else None


def code(script: str) -> str:
    """*script* without the data with which it begins, which may quote other scripts."""
    data, depth = _DATA.match(script), 0
    if data is None:
        return script
    for token in _TOKEN.finditer(script, data.end()):
        depth += _DEPTHS.get(token[0], 0)
        if depth <= 0:
            return script[token.end() :]
    return ""


def block(script: str, start: int, length: int = _CALL) -> str:
    """*script* from *start* to the end of the block that this stands in, *length* at most."""
    text, depth = script[start : start + length], 0
    for token in _TOKEN.finditer(text):
        depth += _DEPTHS.get(token[0], 0)
        if depth < 0:
            return text[: token.start()]
    return text
