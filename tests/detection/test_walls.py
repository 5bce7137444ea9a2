"""Walls that are known by more than their markup: by their URL, by members of their JSON."""

from __future__ import annotations

import json

import pytest

from scrapy_captcha.detection import HtmlPage, Verdict, detect
from scrapy_captcha.detection.walls import WALLS
from scrapy_captcha.models import Kind

TEXT = b"<html><body><h1>Notices</h1><p>Nothing new.</p></body></html>"
FORM = (
    b"<html><body><form action='/check' method='post'><div class='g-recaptcha'"
    b" data-sitekey='6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI'></div></form></body></html>"
)
ADDRESSES = {
    "https://www.google.com/sorry/index?continue=https://www.google.com/search": "google_sorry",
    "https://yandex.com/showcaptcha?cc=1&retpath=aHR0cHM6": "yandex",
    "https://validate.perfdrive.com/0a1b/?ssa=0&ssc=https%3A%2F%2Fshop.example%2F": "radware",
    "https://shop.example//item/1.html/_____tmd_____/punish?x5secdata=0": "alibaba",
    "https://wappass.baidu.com/static/captcha/tuxing.html?ak=0": "baidu",
    "https://www.linkedin.com/authwall?trk=bf&sessionRedirect=https": "linkedin",
    "https://sec.douban.com/c?r=https%3A%2F%2Fmovie.douban.com%2F": "douban",
    "https://www.ebay.com/splashui/captcha?ap=1": "ebay",
    "https://www.ebay.co.uk/splashui/challenge?ap=1": "ebay",
    "https://weixin.sogou.com/antispider/?from=%2Fweixin": "sogou",
    "https://callback.58.com/antibot/verifycode?serialId=0": "wuba",
    "https://cfe.m.jd.com/privatedomain/risk_handler/03101900/?evtype=2": "jd",
    "https://hip.lianjia.com/captcha?location=https%3A%2F%2Fnc.lianjia.com%2F": "lianjia",
    "https://verify.meituan.com/v2/web/general_page?action=spiderindefence": "meituan",
    "https://www.mercadolibre.cl/gz/account-verification?go=https": "mercadolibre",
    "https://www.mercadolivre.com.br/gz/account-verification": "mercadolibre",
    "https://us.shein.com/risk/challenge?captcha_type=903": "shein",
    "https://shopee.com.br/verify/traffic/error?is_logged_in=false": "shopee",
    "https://www.temu.com/uk/bgn_verification.html?VerifyAuthToken=0": "temu",
    "https://antirobot.tianyancha.com/captcha/verify?return_url=https": "tianyancha",
    "https://vk.com/challenge.html?hash429=0&redirect=/wall-1_2": "vk",
    "https://www.zhihu.com/account/unhuman?type=unhuman": "zhihu",
}


@pytest.mark.parametrize("url", ADDRESSES)
def test_sites_send_visitors_to_a_wall_of_its_own_address(url: str) -> None:
    found = detect(HtmlPage(url, TEXT))
    assert found
    assert (found.verdict, found.name) == (Verdict.BLOCK, ADDRESSES[url])


def test_each_wall_with_an_address_is_in_the_table() -> None:
    assert set(ADDRESSES.values()) == {wall.name for wall in WALLS if wall.place == "url"}


GO_AWAY = "/.well-known/.git.gammaspectra.live/git/go-away/cmd/go-away/"
MARKUP = {
    f'<link rel="stylesheet" href="{GO_AWAY}assets/style.css"><h1>Checking</h1>': "go_away",
    f'<script type="module" src="{GO_AWAY}js/main.mjs"></script><h1>Checking</h1>': "go_away",
    '<script src="/.powxy/static/main.js"></script><h1>Checking</h1>': "powxy",
    "<script>document.cookie='beget=begetok; path=/';location.reload();</script>": "beget",
}


@pytest.mark.parametrize("markup", MARKUP)
def test_checks_of_browsers_are_walls(markup: str) -> None:
    found = detect(HtmlPage("https://shop.example/", markup.encode()))
    assert found
    assert (found.verdict, found.name) == (Verdict.BLOCK, MARKUP[markup])


def test_what_can_be_answered_at_such_an_address_is_a_challenge() -> None:
    found = detect(HtmlPage("https://validate.perfdrive.com/0a1b/", FORM))
    assert found
    assert (found.verdict, found.name) == (Verdict.CHALLENGE, Kind.RECAPTCHA_V2.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/risk/challenge?id=1",
        "https://shop.example/verify/traffic",
        "https://shop.example/splashui/captcha",
        "https://shop.example/showcaptcha?id=1",
        "https://shop.example/?next=https://shop.example/challenge.html?hash429=0",
    ],
)
def test_the_path_alone_is_no_wall_on_other_sites(url: str) -> None:
    assert detect(HtmlPage(url, TEXT)) is None


def test_an_address_in_the_markup_is_no_address_of_the_page() -> None:
    body = TEXT.replace(b"new.", b"new at https://www.ebay.com/splashui/captcha?ap=1")
    assert detect(HtmlPage("https://shop.example/", body)) is None


def test_the_answer_of_an_api_may_be_a_wall() -> None:
    url = "https://api.shop.example/h5/list/1.0/_____tmd_____/punish?x5secdata=0&action=captcha"
    body = json.dumps({"ret": ["FAIL_SYS_USER_VALIDATE"], "data": {"url": url}}).encode()
    found = detect(HtmlPage("https://api.shop.example/h5/list/1.0/", body))
    assert found
    assert (found.verdict, found.name) == (Verdict.BLOCK, "alibaba")


@pytest.mark.parametrize("data", [None, [], "captcha", {"url": None}, {"uri": "captcha"}])
def test_an_api_may_answer_anything_in_the_place_of_a_wall(data: object) -> None:
    body = json.dumps({"ret": ["_____tmd_____/punish"], "data": data}).encode()
    assert detect(HtmlPage("https://api.shop.example/", body)) is None
