"""What a request remembers of its captchas while it travels: plain data in ``request.meta``.

It survives the scheduler's disk queue, where anybody may have changed it: what comes back is
checked, and a part of the wrong shape counts as not there.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

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


class Stage(str, Enum):
    """How far a page has come."""

    REQUESTED = "requested"  # it is to be fetched: so it is for nearly all pages of a crawl
    TURN = "turn"  # it was held back, and it is its turn to be fetched
    SHARED = "shared"  # another page has solved for it, and it is to be fetched
    SOLVED = "solved"  # its solution is held in memory
    SUBMITTED = "submitted"  # its solution has gone to the site: the next answer is the verdict
    ARRIVED = "arrived"  # it has come, and a middleware that follows may have it fetched again
    PROBING = "probing"  # it finds out, for others like it, if its URL shows a captcha
    DETECTED = "detected"  # it shows a captcha
    WAITING = "waiting"  # for another page of its session, or for the answers to others
    BUYING = "buying"
    DROPPED = "dropped"  # by Scrapy's duplicate filter, which may lead to a captcha
    FAILED = "failed"  # it is given up


# What is fetched in one of these stages gets to one of those.
FETCHED = frozenset(
    {
        Stage.REQUESTED,
        Stage.TURN,
        Stage.SHARED,
        Stage.SOLVED,
        Stage.SUBMITTED,
        Stage.ARRIVED,
        Stage.PROBING,
    }
)
AFTER_FETCH = frozenset(
    {
        Stage.ARRIVED,
        Stage.DETECTED,
        Stage.WAITING,
        Stage.DROPPED,
        Stage.PROBING,
        Stage.FAILED,
    }
)
_STEPS: dict[Stage, set[Stage]] = {
    Stage.REQUESTED: {Stage.BUYING},  # for a form, if a spider asks
    Stage.DETECTED: {Stage.WAITING, Stage.TURN, Stage.SHARED, Stage.BUYING, Stage.REQUESTED},
    Stage.WAITING: {Stage.TURN, Stage.SHARED, Stage.BUYING, Stage.SUBMITTED, Stage.REQUESTED},
    Stage.BUYING: {Stage.SOLVED, Stage.REQUESTED},
    Stage.SOLVED: {Stage.SUBMITTED, Stage.SHARED, Stage.REQUESTED},
    Stage.SUBMITTED: {Stage.REQUESTED},
    Stage.DROPPED: {Stage.REQUESTED, Stage.PROBING},
    Stage.PROBING: {Stage.REQUESTED},
}
_PARKED = frozenset({Stage.DETECTED, Stage.WAITING, Stage.BUYING})
# The stages that may follow each; it may also come to the one that it has.
TRANSITIONS: dict[Stage, frozenset[Stage]] = {
    stage: frozenset(_STEPS.get(stage, ()))
    | (AFTER_FETCH if stage in FETCHED else frozenset())
    | ({Stage.FAILED} if stage in _PARKED else frozenset())
    for stage in Stage
}


class IllegalTransitionWarning(RuntimeWarning):
    """A page has come to a stage that does not follow the one it had: an error in this package.

    It is in that stage then. In the test suite this is raised.
    """


@dataclass(frozen=True, slots=True)
class CaptchaState:
    """How far one page has come, and by which way.

    * *stage*: how far
    * *tasks*, *retries*, *resent*: as in `Attempts`
    * *purchase_id*: of a purchase whose answer was lost, to be sent again under the same name
    * *provider*: at which a purchase is to be sent again or a task collected
    * *elsewhere*: how often it has gone from one provider to another since it last waited
    * *avoided*: the provider that has lost the answer to a purchase twice
    * *task_id*: of a task that is paid for and whose solution is not collected yet
    * *solution*: which of the solutions in memory belongs to the request, and, once that is
      submitted, which of the answers; "" for none
    * *met*: whether its captcha has been counted
    * *leads*: the session for which it solves, "" for none
    * *again*: how often it was its turn to be fetched
    * *asked*: whether it carries a solution that a spider has asked for
    * *moves*: how often it was sent to another proxy because its own had failed
    * *rotated*: whether it was sent to another proxy instead of paying
    * *failed*: the reason why the page is given up, "" while it is not
    * *passed*: whether the page goes to the spider whatever it shows; it may wait before
    * *reposts*: whether its POST is sent again unless the captcha's URL gives a page after it
    * *shown_at*: the host that shows its captcha, "" where that is the request's own
    * *owner*: what tells its request from others that got a copy of its meta, "" for any request
    * *entry*: the name of its entry in the journal, "" for none
    * *priority*, *dont_filter*, *cookies*: the request's own, which differ on the way
    """

    stage: Stage = Stage.REQUESTED
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
    leads: str = ""
    again: int = 0
    asked: bool = False
    moves: int = 0
    rotated: bool = False
    failed: str = ""
    passed: bool = False
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
        read = _READ.get(id(stored))
        if read is not None and read.stored is stored and read.content == stored:
            return read.state
        return _remembered(stored, cls._parsed(stored))

    @classmethod
    def _parsed(cls, stored: dict[Any, Any]) -> CaptchaState:
        sound = {k: v for k, v in stored.items() if _is_sound(k, v)}
        stage = Stage(sound.pop("stage", Stage.REQUESTED))
        has_failed = bool(sound.get("failed"))
        if has_failed != (stage is Stage.FAILED):  # as before there were stages
            stage = Stage.FAILED if has_failed else Stage.REQUESTED
        return cls(stage, **sound)

    def to_meta(self) -> dict[str, Any]:
        """For ``request.meta[KEY]``: what differs from the beginning."""
        values = {name: getattr(self, name) for name in _TYPES} | {"stage": self.stage.value}
        stored = {k: v for k, v in values.items() if v != getattr(_BEGINNING, k)}
        if stored:
            _remembered(stored, self)
        return stored

    def to(self, stage: Stage, **changes: Any) -> CaptchaState:
        """The same in *stage*, with *changes* of other fields.

        Warns with `IllegalTransitionWarning` if that does not follow the stage that it has.
        """
        if stage is not self.stage and stage not in TRANSITIONS[self.stage]:
            text = f"scrapy-captcha: a page went from {self.stage.value} to {stage.value}"
            warnings.warn(IllegalTransitionWarning(text), stacklevel=2)
        return replace(self, stage=stage, **changes)

    def to_fetched(self) -> CaptchaState:
        """The same, of a page that is fetched now, for whatever reason it was sent back."""
        return self.to(Stage.REQUESTED) if self.stage in _PARKED else self

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
        is_unsent = self.stage is Stage.SOLVED and self.tasks
        is_kept = self.stage in (Stage.SHARED, Stage.DROPPED, Stage.PROBING, Stage.FAILED)
        return replace(
            self,
            stage=self.stage if is_kept else Stage.REQUESTED,
            tasks=self.tasks - 1 if is_unsent else self.tasks,
            solution="",
        )

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
    "stage": (str,),
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
    "leads": (str,),
    "again": (int,),
    "asked": (bool,),
    "moves": (int,),
    "rotated": (bool,),
    "failed": (str,),
    "passed": (bool,),
    "reposts": (bool,),
    "shown_at": (str,),
    "owner": (str,),
    "entry": (str,),
    "priority": (int,),
    "dont_filter": (bool,),
    "cookies": (dict, list),
}
_COUNTS = frozenset({"moves", "tasks", "retries", "elsewhere", "again"})
_STAGES = frozenset(stage.value for stage in Stage)


def _is_sound(name: object, value: Any) -> bool:
    if name == "task_id":
        return is_task_id(value)
    if name == "stage":
        return type(value) is str and value in _STAGES
    return name in _TYPES and type(value) in _TYPES[name] and not (name in _COUNTS and value < 0)


class _Read(NamedTuple):
    """*state* is that of *stored*, as long as this has its *content*."""

    stored: dict[Any, Any]
    content: dict[Any, Any]
    state: CaptchaState


# The states of the dicts in meta that were written or read last, by identity: a page asks for its
# state dozens of times. What has been changed in place, or comes from disk, is parsed.
_READ: dict[int, _Read] = {}
_MOST_READ = 1024


def _remembered(stored: dict[Any, Any], state: CaptchaState) -> CaptchaState:
    _READ[id(stored)] = _Read(stored, dict(stored), state)
    if len(_READ) > _MOST_READ:
        del _READ[next(iter(_READ))]
    return state


_BEGINNING = CaptchaState()
assert set(_TYPES) == {f.name for f in fields(CaptchaState)}  # noqa: S101 - one table, two readers
