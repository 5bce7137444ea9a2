"""The table of kinds says where an answer goes, and no token shows in a repr."""

from __future__ import annotations

import pytest

from scrapy_captcha.models import KINDS, Captcha, Form, Kind, Solution, form_answers

URL = "https://example.com/page"
TOKEN = {"token": "t0k3n"}
GEETEST_V4 = {
    "captcha_id": "647f5ed2ed8acb4be36784e01556bb71",
    "lot_number": "l",
    "pass_token": "p",
    "gen_time": "1700000000",
    "captcha_output": "o",
}

# kind: what a service answers, and the form fields that carry it
ANSWERS = {
    Kind.RECAPTCHA_V2: (TOKEN, {"g-recaptcha-response": "t0k3n"}),
    Kind.RECAPTCHA_V2_ENTERPRISE: (TOKEN, {"g-recaptcha-response": "t0k3n"}),
    Kind.RECAPTCHA_V3: (TOKEN, {"g-recaptcha-response": "t0k3n"}),
    Kind.RECAPTCHA_V3_ENTERPRISE: (TOKEN, {"g-recaptcha-response": "t0k3n"}),
    Kind.HCAPTCHA: (TOKEN, {"h-captcha-response": "t0k3n", "g-recaptcha-response": "t0k3n"}),
    Kind.TURNSTILE: (TOKEN, {"cf-turnstile-response": "t0k3n"}),
    Kind.GEETEST_V3: (
        {"challenge": "c", "validate": "v", "seccode": "v|jordan"},
        {"geetest_challenge": "c", "geetest_validate": "v", "geetest_seccode": "v|jordan"},
    ),
    Kind.GEETEST_V4: (GEETEST_V4, GEETEST_V4),
    Kind.FUNCAPTCHA: (TOKEN, {"fc-token": "t0k3n"}),
    Kind.AMAZON_WAF: (TOKEN, {}),
    Kind.MTCAPTCHA: (TOKEN, {"mtcaptcha-verifiedtoken": "t0k3n"}),
    Kind.FRIENDLY_CAPTCHA: (TOKEN, {"frc-captcha-solution": "t0k3n"}),
    Kind.YANDEX_SMARTCAPTCHA: (TOKEN, {"smart-token": "t0k3n"}),
    Kind.IMAGE: ({"text": "W9H5K"}, {"captcha": "W9H5K"}),
    Kind.CLOUDFLARE_CHALLENGE: (TOKEN, {}),
    Kind.DATADOME: (TOKEN, {}),
    Kind.PERIMETERX: (TOKEN, {}),
    Kind.IMPERVA: (TOKEN, {}),
    Kind.ALIYUN_WAF: (TOKEN, {}),
}
# Opened as a whole: no site key, and a cookie for an answer.
WALLS = {
    Kind.CLOUDFLARE_CHALLENGE,
    Kind.DATADOME,
    Kind.PERIMETERX,
    Kind.IMPERVA,
    Kind.ALIYUN_WAF,
}


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_has_its_form_fields(kind: Kind) -> None:
    answers, fields = ANSWERS[kind]
    assert form_answers(Captcha(kind, URL), Solution(answers)) == fields


@pytest.mark.parametrize("kind", [k for k in Kind if len(ANSWERS[k][1]) == 1])
def test_a_form_with_its_own_name_for_the_answer_gets_it_under_that_name(kind: Kind) -> None:
    captcha = Captcha(kind, URL, answer_field="answer")
    (value,) = ANSWERS[kind][1].values()
    assert form_answers(captcha, Solution(ANSWERS[kind][0])) == {"answer": value}


def test_a_token_that_goes_by_two_names_goes_by_that_of_the_form_as_well() -> None:
    captcha = Captcha(Kind.HCAPTCHA, URL, answer_field="answer")
    answers = form_answers(captcha, Solution({"token": "t"}))
    assert answers == dict.fromkeys(("h-captcha-response", "g-recaptcha-response", "answer"), "t")


@pytest.mark.parametrize("kind", [k for k in Kind if len(set(ANSWERS[k][1].values())) != 1])
def test_an_own_name_means_nothing_to_kinds_with_several_answers_or_none(kind: Kind) -> None:
    captcha = Captcha(kind, URL, answer_field="answer")
    assert form_answers(captcha, Solution(ANSWERS[kind][0])) == ANSWERS[kind][1]


def test_every_kind_is_spelt_like_its_word_and_has_a_row_with_a_title_of_its_own() -> None:
    assert [k.value for k in Kind] == [k.name.lower() for k in Kind]
    assert set(KINDS) == set(Kind)
    assert len({info.title for info in KINDS.values()}) == len(Kind)


def test_only_pictures_and_walls_are_bought_without_a_site_key() -> None:
    assert {k for k in Kind if not KINDS[k].keyed} == {Kind.IMAGE, *WALLS}


def test_the_answer_of_a_wall_is_a_cookie() -> None:
    assert {k for k in Kind if KINDS[k].cookie} == {Kind.AMAZON_WAF, *WALLS}
    assert KINDS[Kind.AMAZON_WAF].cookie == "aws-waf-token"


def test_what_is_good_for_one_visit_only() -> None:
    perishable = {k for k in Kind if Captcha(k, URL).perishable}
    assert perishable == {Kind.GEETEST_V3, Kind.AMAZON_WAF, Kind.IMAGE, Kind.DATADOME}


def test_googles_own_pages_give_parameters_that_are_good_for_one_visit_only() -> None:
    assert Captcha(Kind.RECAPTCHA_V2, URL, parameters={"data_s": "once"}).perishable


def test_a_form_is_filled_in_as_its_fields_are_named() -> None:
    form = Form(URL, "POST", (("csrf", "1"), ("q", "old"), ("page", "1"), ("q", "older")))
    filled = form.filled({"q": "new", "page": None, "tag": ["a", "b"], "none": []})
    assert filled.fields == (("csrf", "1"), ("q", "new"), ("tag", "a"), ("tag", "b"))
    assert form.filled({}) == form


def test_the_repr_of_a_solution_holds_no_token() -> None:
    solution = Solution({"token": "s3cr3t"}, task_id=7, cookies={"aws-waf-token": "s3cr3t"})
    assert repr(solution) == "<Solution of task 7>"
    assert str(solution) == "<Solution of task 7>"
