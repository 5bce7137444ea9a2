"""What a page's script does once its captcha is passed, read without running it."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from scrapy_captcha.detection.scripts import block

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy_captcha.detection.document import Document

_MAX_SCRIPT = 100_000
_MAX_CALLS = 10
_MAX_NAMES = 20
# The functions with which the vendors' scripts show or execute a captcha.
_CALL = re.compile(
    r"\b(?:render|renderUI|renderCaptcha|execute|createWidget|WidgetInstance|initGeetest4?"
    r"|setConfig|FunCaptcha|ArkoseEnforcement)\("
)
_NAME = re.compile(r"[\w$]{1,64}")
# A name that is handed over, as callbacks are.
_GIVEN = re.compile(r"[:,(]\s{0,9}(?:window\.)?([A-Za-z_$][\w$]{1,63})\s{0,9}[,)}]")
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
    call, and in those that elements name in ``data-callback``.
    """
    script = document.script
    after = [block(script, call.start()) for call in islice(_CALL.finditer(script), _MAX_CALLS)]
    names = [str(name).rpartition(".")[2] for name in document.find("//@data-callback")]
    names += (name for text in after for name in _GIVEN.findall(text))
    known = [name for name in dict.fromkeys(names) if _NAME.fullmatch(name)][:_MAX_NAMES]
    texts = (*after, *_functions(script[:_MAX_SCRIPT], known))
    return any(_LEADS_ON.search(text) for text in texts)


def _functions(script: str, names: list[str]) -> Iterator[str]:
    """The bodies of the functions of *script* that have one of *names*."""
    if not names:
        return
    heads = re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b{_HEAD}")
    for head in islice(heads.finditer(script), _MAX_NAMES):
        yield block(script, head.end())
