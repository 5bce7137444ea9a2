"""Every service is spoken to in its own words, over real sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
import treq
from hypothesis import given
from hypothesis import strategies as st
from selling import PROXY, URL, Client

from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.models import Kind
from scrapy_captcha.sandbox import Answer, Sandbox, SolverOptions
from scrapy_captcha.sandbox.dialects import DIALECTS
from scrapy_captcha.sandbox.solver import Solver
from scrapy_captcha.sandbox.tasks import GIVEN, WAF_VOUCHER, Proxied
from scrapy_captcha.sandbox.tokens import TokenBook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selling import Said

    from scrapy_captcha.sandbox.dialects import Dialect
    from scrapy_captcha.sandbox.tasks import OfferedTask

SERVICES = [name for name in DIALECTS if name != "unified"]
VALUES = {"minScore": 0.3, "websiteURL": URL}


def nested(fields: Mapping[str, object]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for dotted, value in fields.items():
        *parents, last = dotted.split(".")
        target = whole
        for parent in parents:
            target = target.setdefault(parent, {})
        target[last] = value
    return whole


def least(name: str, task_type: OfferedTask) -> dict[str, object]:
    """The fields of a task without which it is refused."""
    told = {field: "x" if value is GIVEN else value for field, value in task_type.when.items()}
    fields = {field: VALUES.get(field, "x") for field in task_type.required}
    proxy = PROXY if task_type.proxied is Proxied.MUST else {}
    return {"type": name, **fields, **told, **proxy}


def types_of(service: str) -> list[tuple[str, OfferedTask]]:
    tasks = DIALECTS[service].tasks
    return [(name, t) for name in tasks for t in tasks[name] if t.kind is not Kind.IMAGE]


@pytest.mark.parametrize("service", SERVICES)
@pytest_twisted.ensureDeferred
async def test_every_type_is_solved_in_its_own_shape_and_in_no_other_site_s_name(
    service: str,
) -> None:
    async with Sandbox() as sandbox:
        client = Client(sandbox, service)
        for name, task_type in types_of(service):
            solution = await client.solution(**nested(least(name, task_type)))
            assert solution.keys() == nested(task_type.solution).keys(), name
        assert sandbox.solver.created == 0
        assert client.solver.created == len(types_of(service))


@pytest.mark.parametrize("service", SERVICES)
@pytest_twisted.ensureDeferred
async def test_every_required_field_is_missed_in_the_service_s_words(service: str) -> None:
    missed = {
        "anticaptcha": (200, 24, "ERROR_INCORRECT_SESSION_DATA"),
        "2captcha": (200, 110, "ERROR_BAD_PARAMETERS"),
        "rucaptcha": (200, 110, "ERROR_BAD_PARAMETERS"),
        "capsolver": (400, 1, "ERROR_INVALID_TASK_DATA"),
        "capmonster": (200, 1, "ERROR_INVALID_TASK"),
        "generic": (200, 1, "ERROR_BAD_PARAMETERS"),
    }
    async with Sandbox() as sandbox:
        client = Client(sandbox, service)
        for name, task_type in types_of(service):
            fields = least(name, task_type)
            for field in set(task_type.required) - task_type.when.keys():
                task = nested({**fields, field: ""})
                said = await client.refused("createTask", task=task)
                assert said == missed[service], (name, field)
        assert client.solver.spent == 0


CALLS: Mapping[str, tuple[str, dict[str, object]]] = {
    "wrong key": ("getBalance", {"clientKey": "wrong"}),
    "no key": ("getBalance", {"clientKey": None}),
    "no method": ("getBalanse", {}),
    "no task": ("createTask", {}),
    "no such type": ("createTask", {"task": {"type": "HCaptchaTurboTask"}}),
    "wrong field": ("createTask", {"task": {"websiteURL": 1}}),
    "no such task": ("getTaskResult", {"taskId": 12}),
    "no id": ("getTaskResult", {}),
}
COMMON: Mapping[str, Said] = {
    "wrong key": (200, 1, "ERROR_KEY_DOES_NOT_EXIST"),
    "no key": (200, 1, "ERROR_KEY_DOES_NOT_EXIST"),
    "no method": (200, 14, "ERROR_NO_SUCH_METHOD"),
    "no task": (200, 22, "ERROR_TASK_ABSENT"),
    "no such type": (200, 23, "ERROR_TASK_NOT_SUPPORTED"),
    "no such task": (200, 16, "ERROR_NO_SUCH_CAPCHA_ID"),
}
REFUSED: Mapping[str, Mapping[str, Said]] = {
    "anticaptcha": {
        **COMMON,
        "wrong field": (200, 24, "ERROR_INCORRECT_SESSION_DATA"),
        "no id": (200, 24, "ERROR_INCORRECT_SESSION_DATA"),
    },
    "2captcha": {
        **COMMON,
        "wrong field": (200, 110, "ERROR_BAD_PARAMETERS"),
        "no id": (200, 110, "ERROR_BAD_PARAMETERS"),
    },
    "capsolver": {
        "wrong key": (401, 1, "ERROR_KEY_DENIED_ACCESS"),
        "no key": (400, 1, "ERROR_INVALID_TASK_DATA"),
        "no method": (400, 1, "ERROR_BAD_REQUEST"),
        "no task": (400, 1, "ERROR_INVALID_TASK_DATA"),
        "no such type": (400, 1, "ERROR_TASK_NOT_SUPPORTED"),
        "wrong field": (400, 1, "ERROR_INVALID_TASK_DATA"),
        "no such task": (400, 1, "ERROR_TASKID_INVALID"),
        "no id": (400, 1, "ERROR_INVALID_TASK_DATA"),
    },
    "capmonster": {
        **{name: (200, 1, said[2]) for name, said in COMMON.items()},
        "wrong field": (200, 1, "ERROR_INVALID_TASK"),
        "no id": (200, 1, "ERROR_INVALID_TASK"),
    },
    "generic": {
        **{name: (200, 1, said[2]) for name, said in COMMON.items()},
        "wrong field": (200, 1, "ERROR_BAD_PARAMETERS"),
        "no id": (200, 1, "ERROR_BAD_PARAMETERS"),
    },
}
REFUSED = {**REFUSED, "rucaptcha": REFUSED["2captcha"]}


@pytest.mark.parametrize("service", SERVICES)
@pytest_twisted.ensureDeferred
async def test_a_call_that_is_wrong_is_refused_in_the_service_s_words(service: str) -> None:
    async with Sandbox() as sandbox:
        client = Client(sandbox, service)
        for name, (method, payload) in CALLS.items():
            task = payload.get("task")
            whole = {"task": {**client.box(), **task}} if isinstance(task, dict) else {}
            said = await client.refused(method, **{**payload, **whole})
            assert said == REFUSED[service][name], name


@pytest.mark.parametrize("service", ["anticaptcha", "2captcha", "capsolver", "capmonster"])
@pytest_twisted.ensureDeferred
async def test_hcaptcha_is_not_sold_any_more(service: str) -> None:
    async with Sandbox() as sandbox:
        client = Client(sandbox, service)
        for name in ("HCaptchaTaskProxyless", "HCaptchaTaskProxyLess", "HCaptchaTask"):
            task = {"type": name, "websiteURL": URL, "websiteKey": "k", **PROXY}
            said = await client.refused("createTask", task=task)
            assert said[2] == "ERROR_TASK_NOT_SUPPORTED"


@pytest.mark.parametrize("service", DIALECTS)
@pytest_twisted.ensureDeferred
async def test_an_error_of_the_contract_is_scripted_in_the_service_s_words(service: str) -> None:
    async with Sandbox() as sandbox:
        client = Client(sandbox, service)
        dialect = client.solver.dialect
        for code, word in dialect.codes.items():
            client.solver.script(Answer(error=code.value, message="so", retry_after_header="7"))
            url = f"{client.url}/createTask"
            response = await treq.post(url, json={}, persistent=False)
            answer = await treq.json_content(response)
            assert answer.get("errorCode", answer.get("error")) == word
            assert answer.get("errorDescription", answer.get("message")) == "so"
            assert response.headers.getRawHeaders("Retry-After") == ["7"]


@pytest_twisted.ensureDeferred
async def test_a_service_s_own_code_can_be_scripted_as_it_is() -> None:
    async with Sandbox() as sandbox:
        client = Client(sandbox, "anticaptcha")
        client.solver.script(
            Answer(method="getTaskResult", error="ERROR_PROXY_TRANSPARENT"),
            Answer(method="getTaskResult", error="ERROR_NEW", status=503, omit=("errorId",)),
        )
        assert await client.refused("getTaskResult") == (200, 29, "ERROR_PROXY_TRANSPARENT")
        status, answer = await client.call("getTaskResult")
        assert (status, answer) == (503, {"errorCode": "ERROR_NEW", "errorDescription": ""})


@pytest.mark.parametrize(
    ("service", "error"),
    [("unified", "ERROR_ZERO_BALANCE"), ("capsolver", "PROXY_AUTH"), ("2captcha", "ERROR_NEW")],
)
def test_a_word_that_the_service_does_not_have_cannot_be_scripted(service: str, error: str) -> None:
    with pytest.raises(ValueError, match=f"{service} has no word for '{error}'"):
        Sandbox().services[service].script(Answer(error=error))


@pytest_twisted.ensureDeferred
async def test_every_service_has_an_account_of_its_own() -> None:
    rich = SolverOptions(api_key="k2", balance=3, price=1, prices={Kind.RECAPTCHA_V2: 2})
    async with Sandbox(SolverOptions(balance=1), services={"capsolver": rich}) as sandbox:
        client = Client(sandbox, "capsolver")
        await client.buy(**client.box())
        said = await client.refused("createTask", task=client.box())
        assert said == (400, 1, "ERROR_ZERO_BALANCE")
        answer = await client.call("getBalance")
        assert answer == (200, {"errorId": 0, "balance": 1, "packages": []})
        other = Client(sandbox, "2captcha")
        assert await other.call("getBalance") == (200, {"errorId": 0, "balance": 1})
        assert sandbox.state()["services"]["capsolver"]["spent"] == 2  # type: ignore[index]


@pytest_twisted.ensureDeferred
async def test_another_process_can_script_one_service() -> None:
    async with Sandbox() as sandbox:
        client = Client(sandbox, "capsolver")
        await client.send("sandbox/script", {"method": "getBalance", "error": "AUTH_INVALID"})
        assert (await client.call("getBalance"))[0] == 401
        assert (await Client(sandbox, "2captcha").call("getBalance"))[0] == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=5,
)
FIELDS = "websiteURL websiteKey gt body proxyType proxyAddress proxyPort proxy minScore taskId"
NAMES = st.sampled_from(
    [*FIELDS.split(), "initParameters", "version", "metadata", "result", "class"]
)


@given(dialect=st.sampled_from(sorted(DIALECTS)).map(DIALECTS.__getitem__), data=st.data())
def test_whatever_is_sent_is_answered(dialect: Dialect, data: st.DataObject) -> None:
    solver = Solver(SolverOptions(), TokenBook(), dialect)
    types = st.sampled_from(sorted(solver.dialect.tasks))
    task = data.draw(st.dictionaries(NAMES, JSON)) | {"type": data.draw(types | JSON)}
    payload = data.draw(st.dictionaries(NAMES, JSON)) | {"clientKey": "sandbox-key"}
    for method in ("createTask", "getTaskResult", *solver.dialect.reports):
        call = solver.receive(method, {**payload, "task": task}, {})
        assert solver.answer(call).status in (200, 400, 401, 402, 404, 413, 422)


def test_an_amazon_voucher_is_no_token_of_the_site_s() -> None:
    assert set(WAF_VOUCHER.values()) == {""}


def test_every_dialect_has_a_word_for_whatever_the_solver_says() -> None:
    for dialect in DIALECTS.values():
        needed = {
            *(ErrorCode.AUTH_INVALID, ErrorCode.BALANCE_EMPTY, ErrorCode.CAPACITY),
            *(ErrorCode.METHOD_INVALID, ErrorCode.NOT_FOUND, ErrorCode.UNSOLVABLE),
            *(ErrorCode.INPUT_MISSING, ErrorCode.INPUT_BAD_TYPE),
        }
        assert needed <= {*dialect.codes, *dialect.words}
