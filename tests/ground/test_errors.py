"""The taxonomy is the contract's, and whatever a service answers is read as one of its codes."""

from __future__ import annotations

import math
import time
from email.utils import formatdate

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrapy_captcha.errors import (
    ERRORS,
    ErrorCode,
    Family,
    SolverError,
    read_error,
    read_retry_after_header,
    read_seconds,
)

NOW = 1_700_000_000.0

CONTRACT = {
    "AUTH_INVALID": (401, "account", False),
    "AUTH_FORBIDDEN": (403, "account", None),
    "BALANCE_EMPTY": (402, "account", None),
    "INPUT_MISSING": (400, "input", None),
    "INPUT_BAD_TYPE": (400, "input", None),
    "INPUT_TOO_SMALL": (400, "input", None),
    "INPUT_TOO_LARGE": (413, "input", None),
    "METHOD_INVALID": (400, "input", None),
    "CAPACITY": (429, "solve", True),
    "UNSOLVABLE": (422, "solve", True),
    "NOT_FOUND": (404, "solve", False),
    "PROVIDER_TIMEOUT": (504, "solve", True),
    "PROVIDER_SITEKEY": (400, "solve", False),
    "PROVIDER_DOMAIN": (400, "solve", False),
    "PROXY_REFUSED": (502, "proxy", None),
    "PROXY_TIMEOUT": (504, "proxy", None),
    "PROXY_BANNED": (502, "proxy", None),
    "PROXY_AUTH": (502, "proxy", None),
}
CLIENT_SIDE = {"NETWORK", "TIMEOUT", "BAD_REPLY", "UNKNOWN"}


def read(status: int, body: object, headers: dict[str, str] | None = None) -> SolverError:
    error = read_error(status, headers or {}, body, now=NOW)
    assert error is not None
    return error


def test_the_taxonomy_is_the_contracts_table_and_four_names_of_our_own() -> None:
    rows = {c.value: (i.status, i.family.value, i.retryable) for c, i in ERRORS.items()}
    assert rows == CONTRACT | dict.fromkeys(CLIENT_SIDE, (None, "client", None))


def test_every_code_is_spelt_like_its_value_and_has_a_row() -> None:
    assert [c.name for c in ErrorCode] == [c.value for c in ErrorCode]
    assert set(ERRORS) == set(ErrorCode)
    assert all(info.meaning for info in ERRORS.values())


@pytest.mark.parametrize("name", CONTRACT)
def test_each_name_of_the_contract_is_read_at_its_own_status(name: str) -> None:
    error = read(CONTRACT[name][0], {"error": name, "message": "for people", "retryable": True})
    assert error.code is ErrorCode(name)
    assert error.http_status == CONTRACT[name][0]
    assert error.message == "for people"
    assert error.retryable is True
    assert error.provider_code is None
    assert error.possibly_paid is False


@pytest.mark.parametrize("name", CONTRACT)
def test_a_name_counts_more_than_the_status_it_comes_with(name: str) -> None:
    assert read(200, {"error": name}).code is ErrorCode(name)
    assert read(500, {"error": name}).code is ErrorCode(name)


@pytest.mark.parametrize("name", sorted(CLIENT_SIDE))
def test_a_service_cannot_use_a_name_of_ours(name: str) -> None:
    error = read(400, {"error": name})
    assert (error.code, error.provider_code) == (ErrorCode.UNKNOWN, name)


def test_the_examples_of_the_contract() -> None:
    invalid = read(
        401,
        {"error": "AUTH_INVALID", "message": "API key not found or invalid", "retryable": False},
    )
    assert (invalid.code, invalid.retryable, invalid.retry_after) == (
        ErrorCode.AUTH_INVALID,
        False,
        None,
    )
    busy = read(429, {"error": "CAPACITY", "message": "…", "retryable": True, "retryAfter": 5})
    assert (busy.code, busy.retryable, busy.retry_after) == (ErrorCode.CAPACITY, True, 5.0)


@pytest.mark.parametrize("body", [{}, {"taskId": 1}, {"error": None}, {"status": "ready"}])
@pytest.mark.parametrize("status", [200, 201, 299])
def test_an_object_without_error_is_a_success(status: int, body: object) -> None:
    assert read_error(status, {"retry-after": "5"}, body, now=NOW) is None


@pytest.mark.parametrize(
    ("status", "code", "possibly_paid"),
    [
        (200, "BAD_REPLY", True),
        (301, "BAD_REPLY", False),
        (400, "BAD_REPLY", False),
        (401, "AUTH_INVALID", False),
        (402, "BALANCE_EMPTY", False),
        (403, "AUTH_FORBIDDEN", False),
        (404, "BAD_REPLY", False),
        (413, "INPUT_TOO_LARGE", False),
        (429, "CAPACITY", False),
        (500, "BAD_REPLY", True),
        (502, "BAD_REPLY", True),
        (504, "BAD_REPLY", True),
    ],
)
@pytest.mark.parametrize("body", [None, [], "oops", 5, True])
def test_an_answer_that_is_no_object_counts_by_its_status(
    status: int, body: object, code: str, possibly_paid: bool
) -> None:
    error = read(status, body)
    assert (error.code.value, error.possibly_paid) == (code, possibly_paid)
    assert error.http_status == status


@pytest.mark.parametrize("name", [5, 0, True, False, 1.5, [], ["CAPACITY"], {"code": 1}, ""])
def test_an_error_that_is_no_name_counts_by_the_status(name: object) -> None:
    assert read(200, {"error": name}).code is ErrorCode.BAD_REPLY
    assert read(402, {"error": name}).code is ErrorCode.BALANCE_EMPTY


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("ERROR_ZERO_BALANCE", "ERROR_ZERO_BALANCE"),
        ("capacity", "capacity"),
        (" CAPACITY", None),
        ("CAPACITY\n", None),
        ("X" * 64, "X" * 64),
        ("X" * 65, None),
        ("no such key: abc", None),
        ("N\u00c9W", None),
    ],
)
def test_a_name_outside_the_contract_is_unknown_and_kept_where_it_looks_like_one(
    name: str, kept: str | None
) -> None:
    error = read(400, {"error": name})
    assert (error.code, error.provider_code) == (ErrorCode.UNKNOWN, kept)


@pytest.mark.parametrize("value", [None, "true", "false", 1, 0, "yes", [], {}])
def test_retryable_counts_only_as_a_boolean(value: object) -> None:
    assert read(429, {"error": "CAPACITY", "retryable": value}).retryable is None


@pytest.mark.parametrize("value", [None, 5, True, ["text"], {"text": "x"}])
def test_a_message_that_is_no_text_is_empty(value: object) -> None:
    assert read(429, {"error": "CAPACITY", "message": value}).message == ""


def test_missing_fields_leave_nothing_behind() -> None:
    error = read(422, {"error": "UNSOLVABLE"})
    assert (error.message, error.retryable, error.retry_after) == ("", None, None)
    assert (error.provider, error.task_id) == ("", None)


def test_a_long_message_is_cut() -> None:
    assert len(read(400, {"error": "INPUT_MISSING", "message": "x" * 10_000}).message) == 300


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (5, 5.0),
        (0.25, 0.25),
        (1e12, 1e12),
        (2**63, float(2**63)),
        (0, None),
        (-0.0, None),
        (-3, None),
        (math.nan, None),
        (math.inf, None),
        (-math.inf, None),
        (10**400, None),
        (-(10**400), None),
        (True, None),
        (False, None),
        ("5", None),
        ("", None),
        (None, None),
        ([5], None),
        ({"seconds": 5}, None),
    ],
)
def test_retry_after_in_the_body_counts_only_as_a_finite_number_above_zero(
    value: object, seconds: float | None
) -> None:
    assert read_seconds(value) == seconds
    assert read(429, {"error": "CAPACITY", "retryAfter": value}).retry_after == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5.0),
        (" 5 ", 5.0),
        ("005", 5.0),
        ("0", None),
        ("-5", None),
        ("+5", None),
        ("1.5", None),
        ("1e3", None),
        ("5, 7", None),
        ("5s", None),
        ("\u0665", None),
        ("9" * 400, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("Wed, 99 Foo 2023 25:61:61 GMT", None),
        ("Tue, 14 Nov 99999 22:13:20 GMT", None),
        ("Tue, 14 Nov 2023 22:13:20 +99999999999999", None),
    ],
)
def test_the_header_gives_whole_seconds_or_nothing(value: str, seconds: float | None) -> None:
    assert read_retry_after_header({"retry-after": value}, now=NOW) == seconds


def test_an_http_date_is_a_wait_from_now() -> None:
    headers = {"retry-after": formatdate(NOW + 30, usegmt=True)}
    assert read_retry_after_header(headers, now=NOW) == 30.0


@pytest.mark.parametrize("ago", [0, 1, 3600, NOW])
def test_an_http_date_in_the_past_is_no_wait(ago: float) -> None:
    headers = {"retry-after": formatdate(NOW - ago, usegmt=True)}
    assert read_retry_after_header(headers, now=NOW) is None


@pytest.mark.parametrize("skew", [-86_400, 0, 86_400])
def test_an_http_date_is_measured_by_the_servers_own_clock(skew: float) -> None:
    headers = {
        "date": formatdate(NOW + skew, usegmt=True),
        "retry-after": formatdate(NOW + skew + 30, usegmt=True),
    }
    assert read_retry_after_header(headers, now=NOW) == 30.0


def test_a_malformed_date_of_the_server_leaves_our_own_clock() -> None:
    headers = {"date": "today", "retry-after": formatdate(NOW + 30, usegmt=True)}
    assert read_retry_after_header(headers, now=NOW) == 30.0


@pytest.mark.parametrize(
    "date",
    [
        "Tue, 14 Nov 2023 22:13:50 GMT",
        "Tuesday, 14-Nov-23 22:13:50 GMT",
        "Tue Nov 14 22:13:50 2023",
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_all_three_forms_of_an_http_date_are_greenwich_time_wherever_we_are(
    monkeypatch: pytest.MonkeyPatch, date: str, zone: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        seconds = read_retry_after_header({"retry-after": date}, now=NOW)
    time.tzset()
    assert seconds == 30.0


@pytest.mark.parametrize(
    ("body", "header", "longer"), [(5, "9", 9.0), (9, "5", 9.0), (0, "5", 5.0), (5, "x", 5.0)]
)
def test_where_body_and_header_differ_the_longer_holds(
    body: float, header: str, longer: float
) -> None:
    answer = {"error": "CAPACITY", "retryAfter": body}
    assert read(429, answer, {"retry-after": header}).retry_after == longer


def test_the_header_holds_where_the_body_is_no_object_too() -> None:
    assert read(429, None, {"retry-after": "7"}).retry_after == 7.0


@pytest.mark.parametrize("code", ErrorCode)
def test_no_word_of_the_server_is_in_the_text_of_an_error(code: ErrorCode) -> None:
    error = SolverError(
        code,
        "sesame",
        http_status=400,
        provider="unified",
        provider_code="SESAME",
        task_id="sesame",
    )
    text = f"{error} {error!r} {error.args!r}".lower()
    assert "sesame" not in text
    assert str(error) == f"{code.value} (HTTP 400): {ERRORS[code].meaning}"


def test_the_text_of_an_error_without_an_answer_has_no_status() -> None:
    assert str(SolverError(ErrorCode.NETWORK)) == "NETWORK: the service could not be reached"


def test_again_is_the_same_refusal_without_what_was_bought_or_asked() -> None:
    error = SolverError(
        ErrorCode.BALANCE_EMPTY,
        "sesame",
        retryable=False,
        retry_after=5.0,
        http_status=402,
        provider="unified",
        provider_code="X",
        task_id=7,
        possibly_paid=True,
    )
    again = error.again()
    assert again is not error
    assert vars(again) == {
        "code": ErrorCode.BALANCE_EMPTY,
        "message": "",
        "retryable": False,
        "retry_after": None,
        "http_status": 402,
        "provider": "unified",
        "provider_code": None,
        "task_id": None,
        "possibly_paid": False,
        "unheard": False,
        "cause": "",
        "in_outage": False,
        "refused": True,
    }


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([*CONTRACT, *CLIENT_SIDE])
)
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
bodies = json_values | st.fixed_dictionaries(
    {},
    optional={
        "error": json_values,
        "message": json_values,
        "retryable": json_values,
        "retryAfter": json_values | st.just(10**400),
    },
)
dates = st.text(max_size=40) | st.from_regex(
    r"[A-Z][a-z]{2}, [0-9]{1,3} (Jan|Feb|Nov|Foo) [0-9]{1,6} [0-9:]{1,9} (GMT|-0000|[+-][0-9]{1,9})?"
)
headers = st.dictionaries(st.sampled_from(["retry-after", "date", "x"]), dates, max_size=3)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=200)
@pytest.mark.thorough
@given(status=st.integers(100, 599), headers=headers, body=bodies)
def test_reading_never_raises_and_what_it_gives_is_usable(
    status: int, headers: dict[str, str], body: object
) -> None:
    error = read_error(status, headers, body, now=NOW)
    if error is None:
        assert 200 <= status < 300
        assert isinstance(body, dict)
        return
    assert error.code in ErrorCode
    assert ERRORS[error.code].family is not Family.CLIENT or error.code.value in {
        "BAD_REPLY",
        "UNKNOWN",
    }
    assert error.retryable in {None, True, False}
    assert error.retry_after is None or 0 < error.retry_after < math.inf
    assert error.http_status == status
