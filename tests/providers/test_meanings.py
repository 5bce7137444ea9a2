"""What each service's error codes become: the names of the contract, and when to try again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scrapy_captcha.errors import ERRORS, ErrorCode, Family, SolverError
from scrapy_captcha.providers import PROVIDERS, CreateTask, Reply, Unified
from scrapy_captcha.providers.meanings import NOT_READY

FACTS = Path(__file__).parents[3] / "shared" / "facts" / "errors.json"
VENDORS = [p for p in PROVIDERS.values() if issubclass(p, CreateTask) and p is not Unified]

# provider: meaning, a name of the contract and a delay in seconds -> the codes that mean it
MEANINGS: dict[str, dict[str, str]] = {
    "anticaptcha": {
        "AUTH_INVALID": "ERROR_KEY_DOES_NOT_EXIST",
        "CAPACITY 5": "ERROR_NO_SLOT_AVAILABLE",
        "INPUT_TOO_SMALL": "ERROR_ZERO_CAPTCHA_FILESIZE",
        "INPUT_TOO_LARGE": "ERROR_TOO_BIG_CAPTCHA_FILESIZE",
        "BALANCE_EMPTY 60": "ERROR_ZERO_BALANCE",
        "AUTH_FORBIDDEN": (
            "ERROR_IP_NOT_ALLOWED ERROR_FUNCAPTCHA_NOT_ALLOWED ERROR_ACCOUNT_SUSPENDED "
            "ERROR_FACTORY_ACCESS_DENIED ERROR_FACTORY_IS_SANDBOXED"
        ),
        "UNSOLVABLE 5": (
            "ERROR_CAPTCHA_UNSOLVABLE ERROR_BAD_DUPLICATES ERROR_FAILED_LOADING_WIDGET "
            "ERROR_TASK_CANCELED"
        ),
        "METHOD_INVALID": (
            "ERROR_NO_SUCH_METHOD ERROR_TASK_NOT_SUPPORTED ERROR_INVISIBLE_RECAPTCHA "
            "ERROR_VISIBLE_RECAPTCHA ERROR_INVALID_KEY_TYPE"
        ),
        "INPUT_BAD_TYPE": (
            "ERROR_IMAGE_TYPE_NOT_SUPPORTED ERROR_RECAPTCHA_OLD_BROWSER ERROR_TOKEN_EXPIRED "
            "ERROR_TEMPLATE_NOT_FOUND ERROR_FACTORY_PROPERTY_INCORRECT_FORMAT"
        ),
        "NOT_FOUND": "ERROR_NO_SUCH_CAPCHA_ID ERROR_FACTORY_TASK_NOT_FOUND",
        "INPUT_MISSING": (
            "ERROR_EMPTY_COMMENT ERROR_TASK_ABSENT ERROR_INCORRECT_SESSION_DATA "
            "ERROR_FACTORY_MISSING_PROPERTY"
        ),
        "AUTH_FORBIDDEN 600": "ERROR_IP_BLOCKED",
        "PROXY_REFUSED": (
            "ERROR_PROXY_CONNECT_REFUSED ERROR_PROXY_TRANSPARENT "
            "ERROR_PROXY_HAS_NO_IMAGE_SUPPORT ERROR_PROXY_INCOMPATIBLE_HTTP_VERSION"
        ),
        "PROXY_TIMEOUT": "ERROR_PROXY_CONNECT_TIMEOUT ERROR_PROXY_READ_TIMEOUT",
        "PROXY_BANNED": "ERROR_PROXY_BANNED",
        "PROVIDER_TIMEOUT 10": "ERROR_RECAPTCHA_TIMEOUT ERROR_FACTORY_SERVER_API_CONNECTION_FAILED",
        "PROVIDER_SITEKEY": "ERROR_RECAPTCHA_INVALID_SITEKEY",
        "PROVIDER_DOMAIN": "ERROR_RECAPTCHA_INVALID_DOMAIN",
        "PROXY_AUTH": "ERROR_PROXY_NOT_AUTHORISED",
        "CAPACITY 60": "ERROR_ALL_WORKERS_FILTERED",
        "UNSOLVABLE 10": (
            "ERROR_FACTORY_SERVER_BAD_JSON ERROR_FACTORY_SERVER_ERRORID_MISSING "
            "ERROR_FACTORY_SERVER_ERRORID_NOT_ZERO ERROR_FACTORY_SERVER_OPERATION_FAILED "
            "ERROR_FACTORY_PLATFORM_OPERATION_FAILED ERROR_FACTORY_PROTOCOL_BROKEN"
        ),
    },
    "2captcha": {
        "AUTH_INVALID": "ERROR_KEY_DOES_NOT_EXIST ERROR_WRONG_USER_KEY",
        "CAPACITY 5": "ERROR_NO_SLOT_AVAILABLE",
        "INPUT_TOO_SMALL": "ERROR_ZERO_CAPTCHA_FILESIZE",
        "INPUT_TOO_LARGE": "ERROR_TOO_BIG_CAPTCHA_FILESIZE",
        "INPUT_MISSING": (
            "ERROR_PAGEURL ERROR_TASK_ABSENT ERROR_BAD_PARAMETERS ERROR_EMPTY_ACTION"
        ),
        "BALANCE_EMPTY 60": "ERROR_ZERO_BALANCE",
        "AUTH_FORBIDDEN": "ERROR_IP_NOT_ALLOWED ERROR_ACCOUNT_SUSPENDED ERROR_IP_ADDRES",
        "UNSOLVABLE 5": "ERROR_CAPTCHA_UNSOLVABLE ERROR_BAD_DUPLICATES",
        "METHOD_INVALID": "ERROR_NO_SUCH_METHOD ERROR_TASK_NOT_SUPPORTED",
        "INPUT_BAD_TYPE": (
            "ERROR_IMAGE_TYPE_NOT_SUPPORTED ERROR_BAD_IMGINSTRUCTIONS "
            "ERROR_WRONG_FILE_EXTENSION ERROR_UPLOAD ERROR_TOKEN_EXPIRED"
        ),
        "NOT_FOUND": "ERROR_NO_SUCH_CAPCHA_ID ERROR_WRONG_ID_FORMAT ERROR_WRONG_CAPTCHA_ID",
        "AUTH_FORBIDDEN 300": "ERROR_IP_BLOCKED IP_BANNED",
        "PROVIDER_SITEKEY": "ERROR_RECAPTCHA_INVALID_SITEKEY ERROR_GOOGLEKEY ERROR_SITEKEY",
        "PROXY_REFUSED": "ERROR_BAD_PROXY ERROR_PROXY_CONNECTION_FAILED",
        "not ready": "CAPCHA_NOT_READY",
        "CAPACITY 10": "MAX_USER_TURN",
        "PROVIDER_DOMAIN": "ERROR_BAD_TOKEN_OR_PAGEURL",
        "UNSOLVABLE": "ERROR_CAPTCHAIMAGE_BLOCKED",
    },
    "capsolver": {
        "CAPACITY 10": "ERROR_SERVICE_UNAVALIABLE ERROR_SERVICE_UNAVAILABLE ERROR_RATE_LIMIT",
        "INPUT_BAD_TYPE": (
            "ERROR_INVALID_TASK_DATA ERROR_BAD_REQUEST ERROR_UNKNOWN_QUESTION "
            "ERROR_INVALID_IMAGE ERROR_PARSE_IMAGE_FAIL"
        ),
        "NOT_FOUND": "ERROR_TASKID_INVALID ERROR_TASK_NOT_FOUND",
        "PROVIDER_TIMEOUT 5": "ERROR_TASK_TIMEOUT",
        "BALANCE_EMPTY": "ERROR_SETTLEMENT_FAILED",
        "BALANCE_EMPTY 60": "ERROR_ZERO_BALANCE",
        "AUTH_INVALID": "ERROR_KEY_DENIED_ACCESS ERROR_KEY_DOES_NOT_EXIST",
        "METHOD_INVALID": "ERROR_TASK_NOT_SUPPORTED",
        "UNSOLVABLE 3": "ERROR_CAPTCHA_UNSOLVABLE",
        "PROXY_BANNED": "ERROR_PROXY_BANNED",
        "AUTH_FORBIDDEN 1800": "ERROR_IP_BANNED",
        "AUTH_FORBIDDEN 300": "ERROR_KEY_TEMP_BLOCKED",
    },
    "capmonster": {
        "AUTH_INVALID": "ERROR_KEY_DOES_NOT_EXIST",
        "PROXY_AUTH": "ERROR_PROXY_CREDENTIALS_INVALID_CHARACTER ERROR_PROXY_NOT_AUTHORISED",
        "BALANCE_EMPTY 60": "ERROR_ZERO_BALANCE",
        "INPUT_TOO_LARGE": "ERROR_TOO_BIG_CAPTCHA_FILESIZE",
        "INPUT_TOO_SMALL": "ERROR_ZERO_CAPTCHA_FILESIZE",
        "NOT_FOUND": "ERROR_NO_SUCH_CAPCHA_ID WRONG_CAPTCHA_ID",
        "UNSOLVABLE 5": "ERROR_CAPTCHA_UNSOLVABLE",
        "not ready": "CAPTCHA_NOT_READY",
        "AUTH_FORBIDDEN": "ERROR_IP_NOT_ALLOWED",
        "AUTH_FORBIDDEN 600": "ERROR_IP_BANNED ERROR_IP_BLOCKED",
        "METHOD_INVALID": "ERROR_NO_SUCH_METHOD ERROR_TASK_NOT_SUPPORTED",
        "CAPACITY 5": "ERROR_TOO_MUCH_REQUESTS ERROR_NO_SLOT_AVAILABLE",
        "PROVIDER_DOMAIN": "ERROR_DOMAIN_NOT_ALLOWED ERROR_RECAPTCHA_INVALID_DOMAIN",
        "INPUT_BAD_TYPE": "ERROR_TOKEN_EXPIRED ERROR_WRONG_USERAGENT ERROR_INVALID_TASK",
        "PROVIDER_SITEKEY": "ERROR_RECAPTCHA_INVALID_SITEKEY",
        "PROVIDER_TIMEOUT 10": "ERROR_RECAPTCHA_TIMEOUT",
        "PROXY_REFUSED": "ERROR_PROXY_CONNECT_REFUSED",
        "PROXY_BANNED": "ERROR_PROXY_BANNED",
        "INPUT_MISSING": "ERROR_PROXY_MISSING ERROR_TASK_ABSENT",
        "PROXY_TIMEOUT": "ERROR_PROXY_READ_TIMEOUT",
        "CAPACITY 30": "ERROR_SERVICE_NOT_AVAILABLE",
    },
    "generic": {
        "CAPACITY 10": (
            "ERROR_SERVICE_UNAVALIABLE ERROR_THREADS_MAXIMUM ERROR_INTERNAL_SERVER_ERROR"
        ),
        "INPUT_MISSING": "ERROR_REQUIRED_FIELDS",
        "METHOD_INVALID": "ERROR_PAGE_NOT_FOUND",
        "INPUT_BAD_TYPE": (
            "ERROR_BAD_REQUEST validation_error invalid_request expired_window "
            "unsupported_media_type"
        ),
        "AUTH_FORBIDDEN 600": "ERROR_IP_BANNED",
        "AUTH_FORBIDDEN": "ERROR_KEY_BANNED forbidden account_locked",
        "NOT_FOUND": "ERROR_TASKID_INVALID not_found not_eligible conflict",
        "BALANCE_EMPTY": ("ERROR_SETTLEMENT_FAILED insufficient_credits key_credit_limit_exceeded"),
        "AUTH_INVALID": "unauthorized",
        "INPUT_TOO_LARGE": "payload_too_large",
        "CAPACITY": (
            "rate_limited concurrency_limit_exceeded sitekey_rate_limited rate_capped "
            "ext_daily_limit maintenance"
        ),
        "PROXY_REFUSED": "proxy_unavailable",
        "UNSOLVABLE 3": "recognition_failed",
    },
}

SAME_AS = {"rucaptcha": "2captcha"}
DOCUMENTED = [
    pytest.param(vendor, code, *meaning.partition(" ")[::2], id=f"{vendor.name}-{code}")
    for vendor in VENDORS
    for meaning, codes in MEANINGS[SAME_AS.get(vendor.name, vendor.name)].items()
    for code in codes.split()
    if meaning != "not ready"
]


def read(vendor: type[CreateTask], body: object, status: int = 200, **headers: str) -> Any:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = Reply(status, names, json.dumps(body).encode(), at=0.0)
    return vendor(poll_interval=3.0).read(reply)


def error_of(vendor: type[CreateTask], body: object, status: int = 200, **headers: str) -> Any:
    with pytest.raises(SolverError) as caught:
        read(vendor, body, status, **headers)
    return caught.value


def refusal(code: str, text: str = "because") -> dict[str, object]:
    return {"errorId": 1, "errorCode": code, "errorDescription": text}


@pytest.mark.parametrize(("vendor", "code", "name", "delay"), DOCUMENTED)
@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_a_documented_code_becomes_a_name_of_the_contract_whatever_the_status(
    vendor: type[CreateTask], code: str, name: str, delay: str, status: int
) -> None:
    error = error_of(vendor, refusal(code), status)
    assert (error.code, error.retry_after) == (ErrorCode[name], float(delay) if delay else None)
    assert (error.provider_code, error.message) == (code, "because")
    assert (error.http_status, error.possibly_paid) == (status, False)
    assert error.retryable is (ERRORS[error.code].retryable is True)


@pytest.mark.parametrize("vendor", VENDORS)
def test_no_verdict_contradicts_the_contract(vendor: type[CreateTask]) -> None:
    for code in vendor.errors:
        error = error_of(vendor, refusal(code))
        info = ERRORS[error.code]
        assert info.family is not Family.CLIENT
        assert error.retryable is bool(info.retryable)


@pytest.mark.parametrize("vendor", VENDORS)
def test_each_code_of_a_provider_has_its_meaning_here(vendor: type[CreateTask]) -> None:
    known = {
        code for table in MEANINGS.values() for codes in table.values() for code in codes.split()
    }
    assert set(vendor.errors) - known <= {"ERR_PROXY_CONNECTION_FAILED"}


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("code", sorted(NOT_READY))
def test_a_task_under_way_is_no_error(vendor: type[CreateTask], code: str) -> None:
    assert read(vendor, refusal(code)) == {"status": "processing"}


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    "body",
    [
        {"errorId": 0, "taskId": 7},
        {"errorId": 0, "errorCode": "", "errorDescription": "", "taskId": "a-b"},
        {"errorId": 0, "errorCode": None, "status": "processing"},
        {"taskId": 7},
        {"errorId": "0", "balance": 1.5},
    ],
)
def test_an_answer_without_an_error_is_its_body(vendor: type[CreateTask], body: object) -> None:
    assert read(vendor, body) == body


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("status", [200, 400, 403, 429, 500])
def test_an_unknown_code_keeps_its_name_and_text(vendor: type[CreateTask], status: int) -> None:
    error = error_of(vendor, refusal("ERROR_OF_TOMORROW", "something new"), status)
    assert (error.code, error.provider_code) == (ErrorCode.UNKNOWN, "ERROR_OF_TOMORROW")
    assert (error.message, error.http_status) == ("something new", status)
    assert (error.retryable, error.retry_after) == (None, None)


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_error_without_a_code_is_unknown_too(vendor: type[CreateTask]) -> None:
    for code in [None, "", 7, ["ERROR"], "a b\r\nc", "x" * 99]:
        body = {"errorId": 99, "errorCode": code, "errorDescription": "something new"}
        error = error_of(vendor, body)
        assert (error.code, error.message) == (ErrorCode.UNKNOWN, "something new")
        assert error.provider_code == "NO_ERROR_CODE"


STATUSES = [
    (401, ErrorCode.AUTH_INVALID),
    (402, ErrorCode.BALANCE_EMPTY),
    (403, ErrorCode.AUTH_FORBIDDEN),
    (413, ErrorCode.INPUT_TOO_LARGE),
    (429, ErrorCode.CAPACITY),
    (500, ErrorCode.BAD_REPLY),
    (502, ErrorCode.BAD_REPLY),
    (302, ErrorCode.BAD_REPLY),
]


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(("status", "code"), STATUSES)
@pytest.mark.parametrize("body", [None, {}, {"errorId": 1}, [], "Bad Gateway"])
def test_an_answer_that_names_no_error_counts_by_its_status(
    vendor: type[CreateTask], status: int, code: ErrorCode, body: object
) -> None:
    assert error_of(vendor, body, status).code is code


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_longer_of_header_and_documentation_is_waited_for(vendor: type[CreateTask]) -> None:
    body = refusal("ERROR_NO_SLOT_AVAILABLE")
    assert error_of(vendor, body).retry_after == 5.0
    assert error_of(vendor, body, 429, retry_after="9").retry_after == 9.0
    assert error_of(vendor, body, 429, retry_after="2").retry_after == 5.0


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_failed_task_is_an_error_even_where_the_error_number_says_none(
    vendor: type[CreateTask],
) -> None:
    body = {"errorId": 0, "status": "failed", "errorCode": "ERROR_CAPTCHA_UNSOLVABLE"}
    assert error_of(vendor, body).code is ErrorCode.UNSOLVABLE


REFINED = [
    ("capsolver", "ERROR_INVALID_TASK_DATA", "clientKey is wrong", ErrorCode.AUTH_INVALID),
    ("capsolver", "ERROR_INVALID_TASK_DATA", "websiteKey is Required", ErrorCode.INPUT_MISSING),
    ("capsolver", "ERROR_INVALID_TASK_DATA", "proxy missing", ErrorCode.INPUT_MISSING),
    ("capsolver", "ERROR_INVALID_TASK_DATA", "no such thing", ErrorCode.INPUT_BAD_TYPE),
    ("capmonster", "ERROR_INVALID_TASK", "Field is missing", ErrorCode.INPUT_MISSING),
    ("capmonster", "ERROR_INVALID_TASK", "Field expired", ErrorCode.INPUT_BAD_TYPE),
]


@pytest.mark.parametrize(("name", "code", "text", "expected"), REFINED)
def test_the_text_tells_apart_what_one_code_says(
    name: str, code: str, text: str, expected: ErrorCode
) -> None:
    vendor = next(v for v in VENDORS if v.name == name)
    assert error_of(vendor, refusal(code, text)).code is expected


@pytest.mark.skipif(not FACTS.exists(), reason="the collected facts are not here")
def test_no_collected_code_is_missing_here() -> None:
    known = {
        code for table in MEANINGS.values() for codes in table.values() for code in codes.split()
    }
    collected = {
        row["code"]
        for service, rows in json.loads(FACTS.read_text()).items()
        if service != "transport"
        for row in rows
    }
    assert collected == known
