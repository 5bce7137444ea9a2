"""Captchas, solutions, and the table of kinds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Scalar = str | bool | int | float


class Kind(str, Enum):
    """A kind of captcha: the word in stats, logs and ``meta["captcha"]``."""

    RECAPTCHA_V2 = "recaptcha_v2"
    RECAPTCHA_V2_ENTERPRISE = "recaptcha_v2_enterprise"
    RECAPTCHA_V3 = "recaptcha_v3"
    RECAPTCHA_V3_ENTERPRISE = "recaptcha_v3_enterprise"
    HCAPTCHA = "hcaptcha"
    TURNSTILE = "turnstile"
    GEETEST_V3 = "geetest_v3"
    GEETEST_V4 = "geetest_v4"
    FUNCAPTCHA = "funcaptcha"
    AMAZON_WAF = "amazon_waf"
    MTCAPTCHA = "mtcaptcha"
    FRIENDLY_CAPTCHA = "friendly_captcha"
    YANDEX_SMARTCAPTCHA = "yandex_smartcaptcha"
    IMAGE = "image"
    # Walls, for which services return the cookie of a visitor that has passed.
    CLOUDFLARE_CHALLENGE = "cloudflare_challenge"
    DATADOME = "datadome"
    PERIMETERX = "perimeterx"
    IMPERVA = "imperva"
    ALIYUN_WAF = "aliyun_waf"


@dataclass(frozen=True, slots=True)
class KindInfo:
    """The way in which captchas of one kind are answered.

    * *answers*: name of the form field -> name in ``Solution.answers`` that fills it
    * *cookie*: name of the cookie that carries the answer instead of a form
    * *perishable*: whether the page's parameters are valid for one visit only, so that after a wait
      the page has to be fetched again before a solution is bought
    * *keyed*: whether a site key is needed to buy a solution
    """

    title: str
    answers: Mapping[str, str]
    cookie: str | None = None
    perishable: bool = False
    keyed: bool = True

    @property
    def is_wall(self) -> bool:
        """Whether it is a bot wall rather than a captcha in a form."""
        return self.cookie is not None and not self.keyed


KINDS: Mapping[Kind, KindInfo] = {
    Kind.RECAPTCHA_V2: KindInfo("reCAPTCHA v2", {"g-recaptcha-response": "token"}),
    Kind.RECAPTCHA_V2_ENTERPRISE: KindInfo(
        "reCAPTCHA v2 Enterprise", {"g-recaptcha-response": "token"}
    ),
    Kind.RECAPTCHA_V3: KindInfo("reCAPTCHA v3", {"g-recaptcha-response": "token"}),
    Kind.RECAPTCHA_V3_ENTERPRISE: KindInfo(
        "reCAPTCHA v3 Enterprise", {"g-recaptcha-response": "token"}
    ),
    Kind.HCAPTCHA: KindInfo(
        "hCaptcha", {"h-captcha-response": "token", "g-recaptcha-response": "token"}
    ),
    Kind.TURNSTILE: KindInfo("Cloudflare Turnstile", {"cf-turnstile-response": "token"}),
    Kind.GEETEST_V3: KindInfo(
        "GeeTest v3",
        {
            "geetest_challenge": "challenge",
            "geetest_validate": "validate",
            "geetest_seccode": "seccode",
        },
        perishable=True,
    ),
    Kind.GEETEST_V4: KindInfo(
        "GeeTest v4",
        {
            "captcha_id": "captcha_id",
            "lot_number": "lot_number",
            "pass_token": "pass_token",
            "gen_time": "gen_time",
            "captcha_output": "captcha_output",
        },
    ),
    Kind.FUNCAPTCHA: KindInfo("Arkose FunCaptcha", {"fc-token": "token"}),
    Kind.AMAZON_WAF: KindInfo("Amazon WAF", {}, cookie="aws-waf-token", perishable=True),
    Kind.MTCAPTCHA: KindInfo("MTCaptcha", {"mtcaptcha-verifiedtoken": "token"}),
    Kind.FRIENDLY_CAPTCHA: KindInfo("Friendly Captcha", {"frc-captcha-solution": "token"}),
    Kind.YANDEX_SMARTCAPTCHA: KindInfo("Yandex SmartCaptcha", {"smart-token": "token"}),
    # The page names the text field of a picture: ``Captcha.answer_field``.
    Kind.IMAGE: KindInfo("picture", {}, perishable=True, keyed=False),
    Kind.CLOUDFLARE_CHALLENGE: KindInfo(
        "Cloudflare challenge", {}, cookie="cf_clearance", keyed=False
    ),
    Kind.DATADOME: KindInfo("DataDome", {}, cookie="datadome", perishable=True, keyed=False),
    Kind.PERIMETERX: KindInfo("PerimeterX", {}, cookie="_px3", keyed=False),
    Kind.IMPERVA: KindInfo("Imperva", {}, cookie="reese84", keyed=False),
    Kind.ALIYUN_WAF: KindInfo("Alibaba Cloud WAF", {}, cookie="acw_sc__v3", keyed=False),
}


@dataclass(frozen=True, slots=True)
class Form:
    """The form that takes the answer, as a browser would submit it but without the answer.

    * *fields*: name and value pairs in the page's order, the pressed button included
    * *encoding*: the encoding in which it is sent, by its name in Python
    * *referrer_policy*: that of the page, "" if it has none
    """

    url: str
    method: str
    fields: tuple[tuple[str, str], ...] = ()
    encoding: str = "utf-8"
    referrer_policy: str = ""

    def filled(self, data: Mapping[str, str | Iterable[str] | None]) -> Form:
        """The same form with the values of *data*: several for a list, none for None."""
        kept = [(name, value) for name, value in self.fields if name not in data]
        filled = [
            (name, one)
            for name, value in data.items()
            for one in ((value,) if isinstance(value, str) else value or ())
        ]
        return replace(self, fields=(*kept, *filled))


_LEAST_NAME = 8  # characters of a word that identifies a picture of a site


@dataclass(frozen=True, slots=True)
class Captcha:
    """A captcha on a page, with the form for its answer. Plain data, safe to log.

    * *url*: of the page that shows it
    * *site_key*: None for pictures, and for walls that show none
    * *parameters*: other parameters of the widget, under these names:
      ``invisible`` ``data_s`` ``action`` ``min_score`` ``cdata`` ``page_data`` ``api_domain``
      ``enterprise_payload`` ``challenge`` ``api_server`` ``blob`` ``iv`` ``context``
      ``challenge_script`` ``captcha_script`` ``captcha_url`` ``api_script``
    * *image*: URL or ``data:`` URI of the picture; None for widgets
    * *form*: None if the page shows none (kinds answered by a cookie require none)
    * *answer_field*: the field for the answer, None for the usual one of the kind
    """

    kind: Kind
    url: str
    site_key: str | None = None
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    image: str | None = None
    form: Form | None = None
    answer_field: str | None = None

    @property
    def perishable(self) -> bool:
        """Whether the parameters of the page are valid for one visit only."""
        return KINDS[self.kind].perishable or "data_s" in self.parameters

    @property
    def one_visit(self) -> bool:
        """Whether the site may accept the answer to the last captcha of a session only.

        False if the form identifies the picture to which the answer belongs.
        """
        values = (value for _, value in self.form.fields) if self.form else ()
        is_named = self.image and any(v in self.image for v in values if len(v) >= _LEAST_NAME)
        return self.perishable and not is_named


_TASK_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+/=~-]{0,127}")
_MOST_COOKIES = 50
_MOST_IN_COOKIES = 4096  # characters; usual servers take 8 kB, and the site has cookies of its own


def is_task_id(value: object) -> bool:
    """Whether *value* may be the id of a task: a number from 0 of 63 bits, or a short name."""
    if type(value) is int:
        return 0 <= value < 1 << 63
    return isinstance(value, str) and _TASK_ID.fullmatch(value) is not None


def are_few(cookies: Mapping[str, str]) -> bool:
    """Whether *cookies* leave a request's ``Cookie`` header small enough for usual servers."""
    size = sum(len(name) + len(value) + len("=; ") for name, value in cookies.items())
    return len(cookies) <= _MOST_COOKIES and size <= _MOST_IN_COOKIES


@dataclass(frozen=True, slots=True, repr=False)
class Solution:
    """The solution of a captcha by a service. ``repr()`` contains no token.

    * *answers*: by our names: ``token``; ``text`` for pictures; GeeTest's own five or three words
    * *user_agent*, *cookies*: to be sent with the solution, if the service gives any
    * *cost*: in the account's currency, None if the answer does not contain it
    """

    answers: Mapping[str, str]
    task_id: str | int | None = None
    user_agent: str | None = None
    cookies: Mapping[str, str] = field(default_factory=dict)
    cost: float | None = None

    def __repr__(self) -> str:
        return f"<Solution of task {self.task_id!r}>"


def form_answers(captcha: Captcha, solution: Solution) -> dict[str, str]:
    """The form fields that carry *solution* back, by name; {} for kinds answered by a cookie.

    Raises ValueError if *solution* lacks an answer that the kind requires.
    """
    if captcha.kind is Kind.IMAGE:
        return {captcha.answer_field or "captcha": answer_of(solution, "text")}
    names = KINDS[captcha.kind].answers
    answers = {field: answer_of(solution, name) for field, name in names.items()}
    if captcha.answer_field is None or len(set(names.values())) != 1:
        return answers
    own = {captcha.answer_field: next(iter(answers.values()))}
    return own if len(names) == 1 else answers | own


def answer_of(solution: Solution, name: str) -> str:
    """The answer *name* of *solution*; raises ValueError if it has none."""
    try:
        return solution.answers[name]
    except KeyError:
        raise ValueError(
            f"the provider gave a solution without {name!r}: put it into Solution.answers"
        ) from None
