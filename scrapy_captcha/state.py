"""What a request remembers of its captchas while it travels: plain data in ``request.meta``.

It survives the scheduler's disk queue, where anybody may have changed it: what comes back is
checked, and a part of the wrong shape counts as not there.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from scrapy_captcha.models import is_task_id
from scrapy_captcha.policy import Attempts

if TYPE_CHECKING:
    from collections.abc import Mapping

# All our keys in ``request.meta``, apart from "captcha", which is the user's.
KEY = "_captcha"  # a CaptchaState
ORIGIN = "_captcha_origin"  # what a redirect would make the request forget
CHAIN = "_captcha_chain"  # of a redirected request: its depth, and which redirects are its own
GATE = "_captcha_gate"  # of a request that ends where a redirect leads to this URL
SUBMISSION = "_captcha_submission"  # of the request that carries a solution
PROXY_INDEX = "_captcha_proxy"  # the request's place in the pool; credentials stay there
HAD_PROXY = "_captcha_had_proxy"  # whether its proxy was there before it went out
NEWCOMER = "_captcha_newcomer"  # kept by the copies that redirects and retries make
ASKED_AT = "_captcha_asked"  # when the request went out


@dataclass(frozen=True, slots=True)
class CaptchaState:
    """How far one page has come.

    * *tasks*, *retries*, *resent*: as in `Attempts`
    * *purchase_id*: of a purchase whose answer was lost, to be sent again under the same name
    * *provider*: at which a purchase is to be sent again or a task collected
    * *elsewhere*: how often it has gone from one provider to another since it last waited
    * *avoided*: the provider that has lost the answer to a purchase twice
    * *task_id*: of a task that is paid for and whose solution is not collected yet
    * *solution*: which of the solutions held in memory belongs to the request; "" for none
    * *met*: whether its captcha has been counted
    * *submitted*: whether a solution has gone to the site, so that its next answer is the verdict
    * *answer*: which of the answers to submissions held in memory belongs to the request
    * *leads*: the session for which it solves, "" for none
    * *follows*: whether another page has solved for it
    * *goes*: whether it is its turn to be fetched; *again*: how often that was so
    * *asked*: whether it carries a solution that a spider has asked for
    * *moves*: how often it was sent to another proxy because its own had failed
    * *rotated*: whether it was sent to another proxy instead of paying
    * *failed*: the reason why the page is given up, "" while it is not
    * *passed*: whether the page goes to the spider whatever it shows
    * *dropped*: whether Scrapy's duplicate filter has dropped it, which may lead to a captcha
    * *probes*: whether it finds out, for others like it, if its URL shows a captcha
    * *reposts*: whether its POST is sent again unless the captcha's URL gives a page after it
    * *shown_at*: the host that shows its captcha, "" where that is the request's own
    * *owner*: what tells its request from others that got a copy of its meta, "" for any request
    * *entry*: the name of its entry in the journal, "" for none
    * *priority*, *dont_filter*, *cookies*: the request's own, which differ on the way
    """

    tasks: int = 0
    retries: int = 0
    resent: bool = False
    purchase_id: str = ""
    provider: str = ""
    elsewhere: int = 0
    avoided: str = ""
    task_id: str | int | None = None
    solution: str = ""
    met: bool = False
    submitted: bool = False
    answer: str = ""
    leads: str = ""
    follows: bool = False
    goes: bool = False
    again: int = 0
    asked: bool = False
    moves: int = 0
    rotated: bool = False
    failed: str = ""
    passed: bool = False
    dropped: bool = False
    probes: bool = False
    reposts: bool = False
    shown_at: str = ""
    owner: str = ""
    entry: str = ""
    priority: int | None = None
    dont_filter: bool = False
    cookies: Any = None

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> CaptchaState:
        """What *meta* remembers, the beginning when it remembers nothing."""
        stored = meta.get(KEY)
        if not isinstance(stored, dict):
            return _BEGINNING
        return cls(**{k: v for k, v in stored.items() if _is_sound(k, v)})

    def to_meta(self) -> dict[str, Any]:
        """For ``request.meta[KEY]``: what differs from the beginning."""
        values = {name: getattr(self, name) for name in _TYPES}
        return {k: v for k, v in values.items() if v != getattr(_BEGINNING, k)}

    @property
    def is_beginning(self) -> bool:
        """Whether nothing is remembered: so it is for nearly all pages of a crawl."""
        return self is _BEGINNING

    @property
    def is_urgent(self) -> bool:
        """Whether a solution of it ages, or others wait for it: not where it was only held back."""
        return self.met or self.asked or bool(self.leads)

    @property
    def attempts(self) -> Attempts:
        """As the policy counts them."""
        return Attempts(self.tasks, self.retries, self.resent)

    def for_another_run(self) -> CaptchaState:
        """The same without what was in memory: a solution that was never sent does not count."""
        tasks = self.tasks - 1 if self.solution and self.tasks else self.tasks
        return replace(self, tasks=tasks, solution="", submitted=False, answer="", goes=False)

    def after(self, attempts: Attempts, **changes: Any) -> CaptchaState:
        """The same, with *attempts* made and other fields changed."""
        return replace(
            self,
            tasks=attempts.tasks,
            retries=attempts.retries,
            resent=attempts.resent,
            **changes,
        )


_TYPES: dict[str, tuple[type, ...]] = {
    "tasks": (int,),
    "retries": (int,),
    "resent": (bool,),
    "purchase_id": (str,),
    "provider": (str,),
    "elsewhere": (int,),
    "avoided": (str,),
    "task_id": (str, int),
    "solution": (str,),
    "met": (bool,),
    "submitted": (bool,),
    "answer": (str,),
    "leads": (str,),
    "follows": (bool,),
    "goes": (bool,),
    "again": (int,),
    "asked": (bool,),
    "moves": (int,),
    "rotated": (bool,),
    "failed": (str,),
    "passed": (bool,),
    "dropped": (bool,),
    "probes": (bool,),
    "reposts": (bool,),
    "shown_at": (str,),
    "owner": (str,),
    "entry": (str,),
    "priority": (int,),
    "dont_filter": (bool,),
    "cookies": (dict, list),
}
_COUNTS = frozenset({"moves", "tasks", "retries", "elsewhere", "again"})


def _is_sound(name: object, value: Any) -> bool:
    if name == "task_id":
        return is_task_id(value)
    return name in _TYPES and type(value) in _TYPES[name] and not (name in _COUNTS and value < 0)


_BEGINNING = CaptchaState()
assert set(_TYPES) == {f.name for f in fields(CaptchaState)}  # noqa: S101 - one table, two readers
