"""What a page's script does once its captcha is passed, read without running it."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from scrapy_captcha.detection.scripts import block

if TYPE_CHECKING:
    from scrapy_captcha.detection.document import Document

_MAX_SCRIPT = 100_000
_MAX_CALLS = 10
_MAX_NAMES = 20
_MAX_STEPS = 2
# The functions with which the vendors' scripts show or execute a captcha.
_CALL = re.compile(
    r"\b(?:render|renderUI|renderCaptcha|execute|createWidget|WidgetInstance|initGeetest4?"
    r"|setConfig|FunCaptcha|ArkoseEnforcement)\("
)
_NAME = re.compile(r"[\w$]{1,64}")
# A name that is handed over, as callbacks are, or that is called.
_GIVEN = re.compile(
    r"[:,(]\s{0,9}(?:window\.)?([A-Za-z_$][\w$]{1,63})(?=\s{0,9}[,)}])"
    r"|\b(?!(?:catch|for|function|if|return|switch|while)\b)([A-Za-z_$][\w$]{1,63})(?=\()"
)
# What follows the name of a function, or of options with functions, up to the body.
_HEAD = (
    r"\s{0,9}(?:\([\w\s,$]{0,99}\)\s{0,9}|[:=]\s{0,9}"
    r"(?:(?:async\s{1,9})?(?:function\b|\(|\w{1,64}\s{0,9}=>)[^{}]{0,99})?)\{"
)
_LEADS_ON = re.compile(
    r"\blocation(?:\.(?:reload|replace|assign)\(|(?:\.href)? ?= ?[^=\s])"
    r"|\.(?:submit|requestSubmit)\("
)


def leads_on(document: Document) -> bool:
    """Whether passing a captcha of *document* loads another page or submits a form.

    That is what the script does after the call that shows the captcha, in the callbacks of that
    call, in the callbacks that elements name in ``data-callback``, and in what these call.
    """
    script = document.script
    texts = [block(script, call.start()) for call in islice(_CALL.finditer(script), _MAX_CALLS)]
    names = [str(name).rpartition(".")[2] for name in document.find("//@data-callback")]
    known: set[str] = set()
    for _ in range(_MAX_STEPS):
        names += (one or other for text in texts for one, other in _GIVEN.findall(text))
        new = [name for name in dict.fromkeys(names) if _NAME.fullmatch(name) and name not in known]
        texts += _functions(script[:_MAX_SCRIPT], new[:_MAX_NAMES])
        known.update(new)
    return any(_LEADS_ON.search(text) for text in texts)


def _functions(script: str, names: list[str]) -> list[str]:
    """The bodies of the functions of *script* that have one of *names*."""
    if not names:
        return []
    heads = re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b{_HEAD}")
    return [block(script, head.end()) for head in islice(heads.finditer(script), _MAX_NAMES)]
