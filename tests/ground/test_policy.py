"""Every error has its decision; the user's word counts first, then the server's, then the table's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrapy_captcha.errors import ERRORS, ErrorCode, SolverError
from scrapy_captcha.models import KINDS, Captcha, Form, Kind
from scrapy_captcha.policy import (
    Action,
    Attempts,
    Drop,
    Policy,
    Reschedule,
    RotateProxy,
    StopBuying,
    default_action,
    in_place,
    reason_not_to_answer,
)
from scrapy_captcha.proxy import Rest

if TYPE_CHECKING:
    from scrapy_captcha.policy import Decision

AGAIN = Reschedule(0.5)  # without a jitter and a word of the server
TABLE: dict[ErrorCode, Decision] = {
    ErrorCode.AUTH_INVALID: StopBuying("AUTH_INVALID"),
    ErrorCode.AUTH_FORBIDDEN: StopBuying("AUTH_FORBIDDEN"),
    ErrorCode.BALANCE_EMPTY: StopBuying("BALANCE_EMPTY"),
    ErrorCode.INPUT_MISSING: Drop("INPUT_MISSING"),
    ErrorCode.INPUT_BAD_TYPE: Drop("INPUT_BAD_TYPE"),
    ErrorCode.INPUT_TOO_SMALL: Drop("INPUT_TOO_SMALL"),
    ErrorCode.INPUT_TOO_LARGE: Drop("INPUT_TOO_LARGE"),
    ErrorCode.METHOD_INVALID: Drop("METHOD_INVALID"),
    ErrorCode.CAPACITY: Reschedule(0.5, holds_all=True),
    ErrorCode.UNSOLVABLE: AGAIN,
    ErrorCode.NOT_FOUND: Drop("NOT_FOUND"),
    ErrorCode.PROVIDER_TIMEOUT: AGAIN,
    ErrorCode.PROVIDER_SITEKEY: Drop("PROVIDER_SITEKEY"),
    ErrorCode.PROVIDER_DOMAIN: Drop("PROVIDER_DOMAIN"),
    ErrorCode.PROXY_REFUSED: RotateProxy(Rest.GROWING),
    ErrorCode.PROXY_TIMEOUT: RotateProxy(Rest.GROWING),
    ErrorCode.PROXY_BANNED: RotateProxy(Rest.BANNED),
    ErrorCode.PROXY_AUTH: RotateProxy(Rest.OUT),
    ErrorCode.NETWORK: AGAIN,
    ErrorCode.TIMEOUT: AGAIN,
    ErrorCode.BAD_REPLY: AGAIN,
    ErrorCode.UNKNOWN: AGAIN,
}
ACCOUNT = [c for c, decision in TABLE.items() if isinstance(decision, StopBuying)]
DROPPED = [c for c, decision in TABLE.items() if isinstance(decision, Drop)]
RESCHEDULED = [c for c, decision in TABLE.items() if isinstance(decision, Reschedule)]
PROXY = [c for c, decision in TABLE.items() if isinstance(decision, RotateProxy)]


def decide(
    error: SolverError,
    attempts: Attempts = Attempts(),  # noqa: B008 - frozen
    policy: Policy = Policy(),  # noqa: B008 - frozen
    jitter: float = 0.0,
) -> Decision:
    return policy.decide(error, attempts, jitter=jitter)


@pytest.mark.parametrize("code", ErrorCode)
def test_the_table_decides_where_nobody_says_more(code: ErrorCode) -> None:
    assert decide(SolverError(code, http_status=ERRORS[code].status)) == TABLE[code]


@pytest.mark.parametrize("code", [ErrorCode.BAD_REPLY, ErrorCode.UNKNOWN])
@pytest.mark.parametrize(
    ("status", "action"),
    [
        (None, Action.RESCHEDULE),
        (200, Action.RESCHEDULE),
        (302, Action.DROP),
        (400, Action.DROP),
        (401, Action.STOP),
        (402, Action.STOP),
        (403, Action.STOP),
        (404, Action.DROP),
        (408, Action.RESCHEDULE),
        (413, Action.DROP),
        (422, Action.DROP),
        (429, Action.RESCHEDULE),
        (500, Action.RESCHEDULE),
        (502, Action.RESCHEDULE),
        (504, Action.RESCHEDULE),
    ],
)
def test_the_status_speaks_for_answers_that_nobody_understands(
    code: ErrorCode, status: int | None, action: Action
) -> None:
    assert default_action(code, status) is action


@pytest.mark.parametrize("code", [c for c in ErrorCode if c not in PROXY])
def test_retryable_true_reschedules_whatever_the_table_says(code: ErrorCode) -> None:
    error = SolverError(code, retryable=True, retry_after=7.0, http_status=400)
    concerns_all = code is ErrorCode.CAPACITY or code in ACCOUNT
    assert decide(error) == Reschedule(7.0, holds_all=concerns_all)


@pytest.mark.parametrize("code", RESCHEDULED)
def test_retryable_false_drops_what_the_table_would_reschedule(code: ErrorCode) -> None:
    assert decide(SolverError(code, retryable=False)) == Drop(code.value)


@pytest.mark.parametrize("code", [*ACCOUNT, *DROPPED])
def test_retryable_false_changes_nothing_else(code: ErrorCode) -> None:
    assert decide(SolverError(code, retryable=False)) == TABLE[code]


@pytest.mark.parametrize("code", PROXY)
@pytest.mark.parametrize(("retryable", "delay"), [(True, 7.0), (False, 0.0), (None, 0.0)])
def test_a_proxys_error_rotates_in_any_case_and_waits_only_where_it_is_retryable(
    code: ErrorCode, retryable: bool | None, delay: float
) -> None:
    rested = TABLE[code]
    assert isinstance(rested, RotateProxy)
    error = SolverError(code, retryable=retryable, retry_after=7.0)
    assert decide(error) == RotateProxy(rested.rest, delay)


def test_the_wait_before_another_proxy_is_our_own_where_the_server_named_none() -> None:
    error = SolverError(ErrorCode.PROXY_TIMEOUT, retryable=True)
    assert decide(error, Attempts(retries=1), jitter=0.5) == RotateProxy(Rest.GROWING, 1.5)


def test_the_wait_before_another_proxy_is_capped_too() -> None:
    error = SolverError(ErrorCode.PROXY_REFUSED, retryable=True, retry_after=1e12)
    assert decide(error, policy=Policy(max_delay=60.0)) == RotateProxy(Rest.GROWING, 60.0)


@pytest.mark.parametrize("code", ErrorCode)
@pytest.mark.parametrize(
    ("action", "decision"),
    [
        (Action.RESCHEDULE, Reschedule),
        (Action.ROTATE, RotateProxy),
        (Action.DROP, Drop),
        (Action.STOP, StopBuying),
    ],
)
def test_the_users_word_wins_over_server_and_table(
    code: ErrorCode, action: Action, decision: type[Decision]
) -> None:
    for retryable in (True, False, None):
        error = SolverError(code, retryable=retryable, http_status=ERRORS[code].status)
        assert type(decide(error, policy=Policy({code: action}))) is decision


def test_the_users_word_holds_for_its_own_code_only() -> None:
    policy = Policy({ErrorCode.UNSOLVABLE: Action.DROP})
    assert decide(SolverError(ErrorCode.PROVIDER_TIMEOUT), policy=policy) == AGAIN


@pytest.mark.parametrize("code", RESCHEDULED)
@pytest.mark.parametrize(
    ("asked", "delay"), [(5.0, 5.0), (299.9, 299.9), (301.0, 300.0), (1e12, 300.0), (0.001, 0.1)]
)
def test_the_wait_is_what_the_server_asked_for_within_limits(
    code: ErrorCode, asked: float, delay: float
) -> None:
    decision = decide(SolverError(code, retry_after=asked), jitter=1.0)
    assert isinstance(decision, Reschedule)
    assert decision.delay == delay


def test_the_own_wait_doubles_up_to_the_limit() -> None:
    error = SolverError(ErrorCode.UNSOLVABLE)
    delays = [Policy(max_delay=10.0).delay(error, n, jitter=0.0) for n in (0, 1, 2, 3, 4, 5, 9_999)]
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


@pytest.mark.parametrize(("jitter", "delay"), [(0.0, 2.0), (0.5, 3.0), (1.0, 4.0)])
def test_the_own_wait_is_spread_by_the_jitter(jitter: float, delay: float) -> None:
    assert Policy().delay(SolverError(ErrorCode.UNSOLVABLE), 2, jitter=jitter) == delay


def test_decide_waits_longer_after_each_retry() -> None:
    error = SolverError(ErrorCode.NETWORK)
    assert decide(error, Attempts(retries=2), jitter=0.5) == Reschedule(3.0)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100)
@pytest.mark.thorough
@given(
    retry_after=st.none() | st.floats(0, exclude_min=True, allow_infinity=False),
    retries=st.integers(0, 10**6),
    jitter=st.floats(0, 1),
    max_delay=st.floats(0.1, 86_400),
)
def test_no_wait_is_outside_the_limits(
    retry_after: float | None, retries: int, jitter: float, max_delay: float
) -> None:
    error = SolverError(ErrorCode.CAPACITY, retry_after=retry_after)
    delay = Policy(max_delay=max_delay).delay(error, retries, jitter=jitter)
    assert math.isfinite(delay)
    assert 0.1 <= delay <= max_delay


def rounds_until_dropped(error: SolverError, policy: Policy) -> int:
    attempts = Attempts()
    for number in range(1, 100):
        if isinstance(decide(error, attempts, policy), Drop):
            return number
        attempts = attempts.after(error)
    raise AssertionError("never dropped")


@pytest.mark.parametrize("retry_times", [1, 2, 3, 7])
def test_a_page_gets_as_many_tasks_as_the_user_allows(retry_times: int) -> None:
    failed = SolverError(ErrorCode.UNSOLVABLE, retryable=True, task_id=7)
    assert rounds_until_dropped(failed, Policy(retry_times=retry_times)) == retry_times


@pytest.mark.parametrize("retry_times", [1, 2, 3, 7])
@pytest.mark.parametrize("code", [ErrorCode.CAPACITY, ErrorCode.NETWORK, *PROXY])
def test_a_page_is_retried_as_often_for_errors_that_cost_nothing(
    code: ErrorCode, retry_times: int
) -> None:
    refused = SolverError(code, retryable=True)
    assert rounds_until_dropped(refused, Policy(retry_times=retry_times)) == retry_times + 1


def test_the_users_own_row_is_bounded_as_well() -> None:
    policy = Policy({ErrorCode.INPUT_MISSING: Action.RESCHEDULE}, retry_times=2)
    assert rounds_until_dropped(SolverError(ErrorCode.INPUT_MISSING), policy) == 3


@pytest.mark.parametrize("code", ACCOUNT)
def test_an_account_error_stops_however_often_the_page_was_tried(code: ErrorCode) -> None:
    assert decide(SolverError(code), Attempts(tasks=9, retries=9)) == StopBuying(code.value)


@pytest.mark.parametrize("code", [ErrorCode.NETWORK, ErrorCode.TIMEOUT, ErrorCode.BAD_REPLY])
def test_a_purchase_whose_answer_is_lost_is_sent_once_more_and_not_twice(code: ErrorCode) -> None:
    lost = SolverError(code, possibly_paid=True)
    assert rounds_until_dropped(lost, Policy(retry_times=50)) == 2


def test_a_resent_purchase_that_was_refused_may_be_tried_again() -> None:
    refused = SolverError(ErrorCode.CAPACITY)
    attempts = Attempts(retries=1, resent=True)
    assert decide(refused, attempts) == Reschedule(1.0, holds_all=True)


def test_attempts_count_tasks_retries_and_resends() -> None:
    attempts = Attempts()
    attempts = attempts.after(SolverError(ErrorCode.CAPACITY))
    assert attempts == Attempts(tasks=0, retries=1)
    attempts = attempts.after(SolverError(ErrorCode.UNSOLVABLE, task_id="a"))
    assert attempts == Attempts(tasks=1, retries=2)
    attempts = attempts.after(SolverError(ErrorCode.NETWORK, possibly_paid=True))
    assert attempts == Attempts(tasks=1, retries=3, resent=True)
    attempts = attempts.after(SolverError(ErrorCode.CAPACITY))
    assert attempts == Attempts(tasks=1, retries=4, resent=True)


PAGE = "https://example.com/a"
IN_FORMS = [k for k in Kind if not KINDS[k].cookie]
TOKENS = [k for k in IN_FORMS if k is not Kind.IMAGE]


def captcha(
    kind: Kind,
    form: Form | None,
    *,
    url: str = PAGE,
    site_key: str | None = "key",
) -> Captcha:
    return Captcha(kind, url, site_key=site_key, form=form)


@pytest.mark.parametrize(
    ("page", "action"),
    [
        ("https://example.com/a", "https://example.com/b?c#d"),
        ("https://example.com/a", "https://EXAMPLE.com:443/"),
        ("https://example.com:443/a", "https://example.com/"),
        ("http://example.com/a", "http://example.com:80/"),
        ("http://[::1]:8000/a", "http://[::1]:8000/b"),
    ],
)
def test_an_answer_goes_to_a_form_of_the_same_origin(page: str, action: str) -> None:
    for kind in IN_FORMS:
        assert reason_not_to_answer(captcha(kind, Form(action, "POST"), url=page)) is None


@pytest.mark.parametrize(
    "action",
    [
        "https://other.example/",
        "https://www.example.com/",
        "https://example.com.other.example/",
        "https://example.com@other.example/",
        "http://example.com/",
        "https://example.com:8443/",
        "https://example.com:99999/",
        "https://[example.com/",
        "//example.com/",
        "javascript:void(0)",
        "",
    ],
)
def test_no_answer_goes_to_another_origin(action: str) -> None:
    for kind in IN_FORMS:
        assert reason_not_to_answer(captcha(kind, Form(action, "POST"))) == "other_origin"


@pytest.mark.parametrize("kind", TOKENS)
def test_no_token_goes_into_a_url(kind: Kind) -> None:
    assert reason_not_to_answer(captcha(kind, Form(PAGE, "GET"))) == "get_form"


def test_the_text_of_a_picture_may_go_into_a_url() -> None:
    assert reason_not_to_answer(captcha(Kind.IMAGE, Form(PAGE, "GET"), site_key=None)) is None


@pytest.mark.parametrize("kind", IN_FORMS)
def test_without_a_form_there_is_nowhere_to_put_the_answer(kind: Kind) -> None:
    assert reason_not_to_answer(captcha(kind, None)) == "no_form"


@pytest.mark.parametrize("kind", [k for k in Kind if KINDS[k].cookie])
def test_an_answer_in_a_cookie_needs_no_form(kind: Kind) -> None:
    assert reason_not_to_answer(captcha(kind, None)) is None


@pytest.mark.parametrize("kind", [k for k in Kind if KINDS[k].keyed])
def test_a_widget_without_a_site_key_cannot_be_bought(kind: Kind) -> None:
    assert reason_not_to_answer(captcha(kind, Form(PAGE, "POST"), site_key=None)) == "site_key"


def test_an_empty_site_key_is_none() -> None:
    widget = captcha(Kind.TURNSTILE, Form(PAGE, "POST"), site_key="")
    assert reason_not_to_answer(widget) == "site_key"


@pytest.mark.parametrize("code", list(TABLE))
@pytest.mark.parametrize("retryable", [None, True, False])
def test_a_page_that_cannot_be_fetched_again_waits_or_is_given_up(
    code: ErrorCode, retryable: bool | None
) -> None:
    error = SolverError(code, retryable=retryable)
    decision = Policy().decide(error, Attempts(), jitter=0.0)
    widget = captcha(Kind.TURNSTILE, None)
    here = in_place(decision, error, widget)
    if isinstance(decision, RotateProxy):
        assert here == (Reschedule(decision.delay) if retryable else Drop(code.value))
    else:
        assert here == decision
    if isinstance(here, Reschedule):
        assert in_place(decision, error, captcha(Kind.IMAGE, None)) == Drop(code.value)
