"""What a service calls a solution is read as one or refused: nothing of it is trusted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.models import KINDS, Kind
from scrapy_captcha.providers import PROVIDERS
from scrapy_captcha.providers.solutions import read_cost, read_solution

if TYPE_CHECKING:
    from scrapy_captcha.models import Solution

TOKEN_KINDS = [k for k in Kind if set(KINDS[k].answers.values()) == {"token"}]
GEETEST_V4 = {
    "captcha_id": "647f5ed2ed8acb4be36784e01556bb71",
    "lot_number": "7e4f",
    "pass_token": "9b8a",
    "gen_time": "1700000000",
    "captcha_output": "o==",
}

# kind: what the service puts into "solution", and the answers we read in it
SHAPES: list[tuple[Kind, dict[str, Any], dict[str, str]]] = [
    *((k, {"gRecaptchaResponse": "t0k3n"}, {"token": "t0k3n"}) for k in TOKEN_KINDS),
    *((k, {"token": "t0k3n"}, {"token": "t0k3n"}) for k in TOKEN_KINDS),
    *(
        (k, {"gRecaptchaResponse": "first", "token": "second"}, {"token": "first"})
        for k in TOKEN_KINDS
    ),
    (
        Kind.GEETEST_V3,
        {"challenge": "c", "validate": "v", "seccode": "v|jordan", "more": 1},
        {"challenge": "c", "validate": "v", "seccode": "v|jordan"},
    ),
    (Kind.GEETEST_V4, GEETEST_V4, GEETEST_V4),
    (Kind.GEETEST_V4, GEETEST_V4 | {"gen_time": 1700000000}, GEETEST_V4),
    (
        Kind.GEETEST_V3,
        {"challenge": "c", "validate": "v"},
        {"challenge": "c", "validate": "v", "seccode": "v|jordan"},
    ),
    (Kind.FRIENDLY_CAPTCHA, {"data": {"token": "t0k3n"}, "url": None}, {"token": "t0k3n"}),
    (Kind.AMAZON_WAF, {"cookies": {"aws-waf-token": "t0k3n"}}, {"token": "t0k3n"}),
    (Kind.AMAZON_WAF, {"cookie": "t0k3n"}, {"token": "t0k3n"}),
    (Kind.AMAZON_WAF, {"token": "t0k3n"}, {"token": "t0k3n"}),
    (Kind.CLOUDFLARE_CHALLENGE, {"cf_clearance": "t0k3n"}, {"token": "t0k3n"}),
    (Kind.CLOUDFLARE_CHALLENGE, {"cookies": {"cf_clearance": "t0k3n"}}, {"token": "t0k3n"}),
    (
        Kind.CLOUDFLARE_CHALLENGE,
        {"cookies": {"cf_clearance": "t0k3n"}, "token": "other"},
        {"token": "t0k3n"},
    ),
    (Kind.DATADOME, {"cookie": "datadome=t0k3n; Max-Age=31; Path=/"}, {"token": "t0k3n"}),
    (Kind.DATADOME, {"cookie": "t0k3n="}, {"token": "t0k3n="}),
    (
        Kind.DATADOME,
        {"domains": {"shop.example": {"cookies": {"datadome": "t0k3n"}}}, "data": None},
        {"token": "t0k3n"},
    ),
    (Kind.IMAGE, {"text": "W9H5K"}, {"text": "W9H5K"}),
    (Kind.IMAGE, {"text": "two words \u00e9"}, {"text": "two words \u00e9"}),
]


def read(kind: Kind, fields: object, **body: object) -> Solution:
    return read_solution(kind, {"status": "ready", "solution": fields, **body}, 7)


def assert_refused(kind: Kind, fields: object) -> None:
    with pytest.raises(SolverError) as caught:
        read(kind, fields)
    error = caught.value
    assert (error.code, error.task_id) == (ErrorCode.BAD_REPLY, 7)
    assert error.message == ""
    assert error.__suppress_context__ or error.__context__ is None


@pytest.mark.parametrize(("kind", "fields", "answers"), SHAPES)
def test_each_kind_is_read_in_each_shape_that_services_use(
    kind: Kind, fields: dict[str, Any], answers: dict[str, str]
) -> None:
    solution = read(kind, fields)
    assert (dict(solution.answers), solution.task_id) == (answers, 7)


def test_every_kind_has_a_shape_here() -> None:
    sold = {kind for provider in PROVIDERS.values() for kind in provider.tasks}
    assert {kind for kind, _, _ in SHAPES} == sold


@pytest.mark.parametrize("fields", [None, "t0k3n", 5, True, [], ["t0k3n"], {}])
def test_a_solution_that_is_no_object_or_empty_is_refused(fields: object) -> None:
    for kind in Kind:
        assert_refused(kind, fields)


def test_an_answer_without_a_solution_is_refused() -> None:
    with pytest.raises(SolverError) as caught:
        read_solution(Kind.HCAPTCHA, {"status": "ready"}, "a")
    assert (caught.value.code, caught.value.task_id) == (ErrorCode.BAD_REPLY, "a")


HOSTILE_TOKENS: list[object] = [
    "",
    " ",
    "a b",
    "a\r\nX-Injected: 1",
    "a\n",
    "\x00",
    "a\x7f",
    "caf\u00e9",
    "\udc80",
    "<script>alert(1)</script>",
    "x" * 8193,
    "x" * 2_000_000,
    None,
    True,
    1.5,
    -1,
    10**400,
    ["t0k3n"],
    {"token": "t0k3n"},
]
ids = [ascii(value)[:20] for value in HOSTILE_TOKENS]


@pytest.mark.parametrize("value", HOSTILE_TOKENS, ids=ids)
def test_a_token_that_could_not_be_sent_on_is_refused(value: object) -> None:
    for kind, fields, _ in SHAPES:
        if kind is not Kind.IMAGE and not {"cookies", "data"} & set(fields):
            first = next(iter(fields))
            assert_refused(kind, fields | {first: value})


@pytest.mark.parametrize("value", HOSTILE_TOKENS, ids=ids)
def test_amazons_cookie_is_refused_like_any_token(value: object) -> None:
    assert_refused(Kind.AMAZON_WAF, {"cookies": {"aws-waf-token": value}})


@pytest.mark.parametrize("missing", GEETEST_V4)
def test_each_of_geetests_words_is_needed(missing: str) -> None:
    assert_refused(Kind.GEETEST_V4, {k: v for k, v in GEETEST_V4.items() if k != missing})


@pytest.mark.parametrize(
    "text", ["", "a\r\nb", "a\n", "\x1b[31m", "\udc80", "\u2028", "x" * 257, None, 5, True, ["a"]]
)
def test_a_text_that_is_not_printable_or_too_long_is_refused(text: object) -> None:
    assert_refused(Kind.IMAGE, {"text": text})


@pytest.mark.parametrize("length", [1, 8192])
def test_a_token_has_up_to_eight_kilobytes(length: int) -> None:
    assert read(Kind.HCAPTCHA, {"token": "x" * length}).answers["token"] == "x" * length


@pytest.mark.parametrize(
    ("value", "user_agent"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (X11; Linux x86_64)"),
        ("a\r\nX-Injected: 1", None),
        ("caf\u00e9", None),
        ("", None),
        ("x" * 513, None),
        (5, None),
        (None, None),
        (["Mozilla"], None),
    ],
)
def test_a_user_agent_counts_only_where_it_can_be_a_header(
    value: object, user_agent: str | None
) -> None:
    solution = read(Kind.HCAPTCHA, {"token": "t", "userAgent": value})
    assert solution.user_agent == user_agent


@pytest.mark.parametrize(
    ("value", "cookies"),
    [
        ({"a": "1", "b": "2"}, {"a": "1", "b": "2"}),
        ({"a": "1", "b": "x\r\nSet-Cookie: c=d"}, {"a": "1"}),
        ({"a": "1", "b c": "2", "d=e": "2", "": "2", "f\n": "2", "\u00e9": "2"}, {"a": "1"}),
        ({"a": "1", "b": 5, "c": None, "d": ["x"], "e": ""}, {"a": "1"}),
        ({"a": "1", "x" * 257: "2", "c": "x" * 8193}, {"a": "1"}),
        ([["a", "1"]], {}),
        ("a=1", {}),
        (None, {}),
    ],
)
def test_cookies_count_only_where_they_can_be_sent(value: object, cookies: dict[str, str]) -> None:
    assert dict(read(Kind.HCAPTCHA, {"token": "t", "cookies": value}).cookies) == cookies


def test_a_cookies_value_brings_no_attributes_along() -> None:
    fields = {"token": "t", "cookies": {"a": "1;Domain=example.com", "b": "2"}}
    assert dict(read(Kind.HCAPTCHA, fields).cookies) == {"b": "2"}


COSTS: list[tuple[object, float | None]] = [
    (0.00299, 0.00299),
    ("0.00299", 0.00299),
    (0, 0.0),
    (-1, None),
    ("", None),
    ("free", None),
    ("nan", None),
    (math.nan, None),
    (math.inf, None),
    ("1e999", None),
    (10**400, None),
    ("9" * 5000, None),
    (True, None),
    (None, None),
    ([1], None),
    ("1_0", None),
    ("1e5", None),
    (" 1", None),
    ("\u0661", None),
    (1e308, None),
    (1e-320, None),
    ("0.0021", 0.0021),
]


@pytest.mark.parametrize(("value", "cost"), COSTS)
def test_a_cost_is_a_finite_number_in_either_spelling(value: object, cost: float | None) -> None:
    assert read_cost(value) == cost
    assert read(Kind.IMAGE, {"text": "x"}, cost=value).cost == cost


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)
fields_of_solutions = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ["token", "gRecaptchaResponse", "text", "cookies", "cookie", "userAgent"], json_values
    ),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=150)
@pytest.mark.thorough
@given(
    kind=st.sampled_from(Kind),
    body=st.fixed_dictionaries(
        {}, optional={"solution": fields_of_solutions | json_values, "cost": json_values}
    ),
)
def test_any_body_gives_a_usable_solution_or_a_solver_error(
    kind: Kind, body: dict[str, object]
) -> None:
    try:
        solution = read_solution(kind, body, 7)
    except SolverError:
        return
    values = [*solution.answers.values(), *solution.cookies.values(), solution.user_agent or "x"]
    assert all(value.isprintable() and value for value in values)
    assert solution.cost is None or math.isfinite(solution.cost)


def test_a_token_is_no_number() -> None:
    assert_refused(Kind.HCAPTCHA, {"token": 5})


@settings(deadline=None, max_examples=500)
@pytest.mark.thorough
@given(st.floats() | st.integers() | st.text(max_size=12) | st.from_regex(r"[0-9._+eE-]{1,12}"))
def test_a_cost_is_unknown_or_one_that_a_task_may_have(value: object) -> None:
    cost = read_cost(value)
    assert cost is None or cost == 0 or 1e-6 <= cost <= 1000
    assert cost is None or not isinstance(value, str) or set(value) <= set("0123456789.-")
