"""What detection says about the pages in tests/pages, one row per page."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scrapy_captcha.detection import HtmlPage, Verdict, detect
from scrapy_captcha.models import Form, Kind

if TYPE_CHECKING:
    from scrapy_captcha.detection import Detection

PAGES = Path(__file__).parents[1] / "pages"
URL = "https://shop.example/catalogue?page=2"

V2 = "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"
UUID = "10000000-ffff-ffff-ffff-000000000001"
TURNSTILE = "1x00000000000000000000AA"
HEX = "00112233445566778899aabbccddeeff"
FRIENDLY = "FCMADEUPKEY00000"
AWS = "https://0123456789ab.abcdef01.us-east-1."
AWS_FILE = ".awswaf.com/0123456789ab/ba9876543210/"
VERIFY = Form("https://shop.example/verify", "POST", (("next", "/catalogue?page=2"), ("go", "1")))
SILENT = Form("https://shop.example/verify", "POST", (("next", "/"),))


@dataclass(frozen=True)
class Shown:
    """What a challenge page shows."""

    kind: Kind
    key: str | None = None
    form: Form | None = VERIFY
    parameters: dict[str, Any] = field(default_factory=dict)
    answer_field: str | None = None
    image: str | None = None


CHALLENGES = {
    "recaptcha_v2": Shown(Kind.RECAPTCHA_V2, V2),
    "recaptcha_v2_invisible": Shown(Kind.RECAPTCHA_V2, V2, SILENT, {"invisible": True}),
    "recaptcha_v2_enterprise": Shown(
        Kind.RECAPTCHA_V2_ENTERPRISE, V2, parameters={"action": "visit"}
    ),
    "recaptcha_v3": Shown(Kind.RECAPTCHA_V3, V2, SILENT, {"action": "visit"}, "token"),
    "recaptcha_v3_enterprise": Shown(Kind.RECAPTCHA_V3_ENTERPRISE, V2, SILENT, {"action": "visit"}),
    "hidden_field": Shown(
        Kind.RECAPTCHA_V3,
        V2,
        Form("https://shop.example/verify", "POST", (("csrfmiddlewaretoken", "made-up"),)),
        {"action": "visit"},
        "captcha",
    ),
    "recaptcha_explicit": Shown(
        Kind.RECAPTCHA_V2, V2, parameters={"api_domain": "www.recaptcha.net"}
    ),
    "hcaptcha": Shown(Kind.HCAPTCHA, UUID),
    "hcaptcha_script": Shown(Kind.HCAPTCHA, UUID, None),
    "callback": Shown(Kind.HCAPTCHA, UUID, None),
    "turnstile": Shown(
        Kind.TURNSTILE,
        TURNSTILE,
        parameters={"action": "visit", "cdata": "session-1"},
        answer_field="answer",
    ),
    "turnstile_render": Shown(
        Kind.TURNSTILE,
        TURNSTILE,
        parameters={"action": "visit", "cdata": "session-1", "page_data": "page-1"},
    ),
    "geetest_v3": Shown(
        Kind.GEETEST_V3,
        HEX,
        None,
        {"challenge": "ffeeddccbbaa99887766554433221100", "api_server": "api-na.geetest.com"},
    ),
    "geetest_v4": Shown(Kind.GEETEST_V4, HEX),
    "funcaptcha": Shown(
        Kind.FUNCAPTCHA,
        "00000000-1111-2222-3333-444444444444",
        parameters={"api_server": "client-api.arkoselabs.com", "blob": "made-up-blob"},
    ),
    "amazon_waf": Shown(
        Kind.AMAZON_WAF,
        "bWFkZS11cC1rZXk/with+base64==",
        None,
        {
            "iv": "bWFkZS11cC1pdg==",
            "context": "bWFkZS11cC1jb250ZXh0",
            "challenge_script": f"{AWS}token{AWS_FILE}challenge.js",
            "captcha_script": f"{AWS}captcha{AWS_FILE}captcha.js",
        },
    ),
    "mtcaptcha": Shown(Kind.MTCAPTCHA, "MTPublic-madeupkey", parameters={"action": "visit"}),
    "friendly_captcha": Shown(Kind.FRIENDLY_CAPTCHA, FRIENDLY),
    "friendly_captcha_v2": Shown(
        Kind.FRIENDLY_CAPTCHA, FRIENDLY, answer_field="frc-captcha-response"
    ),
    "yandex_smartcaptcha": Shown(
        Kind.YANDEX_SMARTCAPTCHA, "ysc1_made0up0key0made0up0key0made0up0key0"
    ),
    "yandex_check": Shown(
        Kind.YANDEX_SMARTCAPTCHA,
        None,
        Form(
            "https://shop.example/checkcaptcha?key=made-up&retpath=https%3A%2F%2Fshop.example%2F",
            "POST",
            (("key", "made-up"), ("d", "x=")),
        ),
    ),
    "picture": Shown(
        Kind.IMAGE,
        None,
        Form("https://shop.example/check", "GET", (("id", "17"),)),
        answer_field="letters",
        image="https://static.shop.example/check/captcha.php?id=17",
    ),
    "picture_beside": Shown(
        Kind.IMAGE,
        None,
        Form("https://shop.example/check", "POST", (("next", "/catalogue?page=2"), ("go", "1"))),
        answer_field="answer",
        image="https://shop.example/captcha.php?id=17",
    ),
    "picture_unnamed": Shown(
        Kind.IMAGE,
        None,
        Form("https://shop.example/check", "POST", (("next", "/catalogue?page=2"), ("go", "1"))),
        answer_field="t",
        image="https://shop.example/i.php?n=17",
    ),
    "picture_svg": Shown(
        Kind.IMAGE,
        None,
        Form("https://shop.example/check", "POST", (("next", "/catalogue?page=2"), ("go", "1"))),
        answer_field="t",
        image="data:image/svg+xml;base64,"
        "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSIxNTAiIGhlaWdodD0iNTAiIHZpZXdCb3g9IjAsMCwxNTAsNTAiPjxwYXRoIGQ9Ik0xMCAxMEwyMCAyMCIgc3Ryb2tlPSIjNDQ0Ii8+PC9zdmc+",
    ),
    "bunkerweb": Shown(
        Kind.IMAGE,
        None,
        Form("https://shop.example/challenge", "POST"),
        answer_field="answer",
        image="data:image/png;base64,iVBORw0KGgo=",
    ),
    "picture_data": Shown(
        Kind.IMAGE,
        None,
        Form(URL, "POST", (("send", "Send"),)),
        answer_field="captcha_text",
        image="data:image/png;base64,iVBORw0KGgo=",
    ),
    "amazon": Shown(
        Kind.IMAGE,
        None,
        Form(
            "https://shop.example/errors/validateCaptcha",
            "GET",
            (("amzn", "bWFkZSB1cA=="), ("amzn-r", "/")),
        ),
        answer_field="field-keywords",
        image="https://images.shop.example/captcha/abcdefgh/Captcha_ijklmnop.jpg",
    ),
    "google_sorry": Shown(
        Kind.RECAPTCHA_V2_ENTERPRISE,
        V2,
        Form(
            "https://shop.example/index",
            "POST",
            (("q", "made-up-q"), ("continue", "https://www.google.com/search?q=scrapy")),
        ),
        {"data_s": "made-up-data-s"},
    ),
    "cloudflare_recaptcha": Shown(
        Kind.RECAPTCHA_V2,
        V2,
        Form("https://shop.example/cdn-cgi/l/chk_captcha", "GET", (("s", "made-up"),)),
    ),
    "distil": Shown(
        Kind.RECAPTCHA_V2, V2, Form("https://shop.example/distil?id=1", "POST", (("remoteip", ""),))
    ),
    "copied_answer": Shown(
        Kind.TURNSTILE,
        TURNSTILE,
        Form("https://shop.example/challenge", "POST", (("next", "/"),)),
        answer_field="token",
    ),
    "broken_key": Shown(Kind.RECAPTCHA_V2, None),
    "form_elsewhere": Shown(Kind.HCAPTCHA, UUID),
    "basedflare": Shown(Kind.HCAPTCHA, UUID, None),
    "google_page": Shown(Kind.RECAPTCHA_V2_ENTERPRISE, V2, None, {"invisible": True}),
    "shopify": Shown(Kind.HCAPTCHA, UUID),
    "layout": Shown(Kind.TURNSTILE, TURNSTILE, SILENT),
    "layout_named": Shown(Kind.TURNSTILE, TURNSTILE, None),
    "layout_drupal": Shown(Kind.TURNSTILE, TURNSTILE, SILENT),
    "variable": Shown(Kind.TURNSTILE, TURNSTILE, None),
    "adlinkfly": Shown(Kind.RECAPTCHA_V2, V2, SILENT),
    "amazon_waf_moved": Shown(Kind.AMAZON_WAF, form=None),
    "picture_sorry": Shown(
        Kind.IMAGE,
        None,
        Form(
            "https://shop.example/CaptchaRedirect",
            "GET",
            (("continue", "https://www.google.com/"), ("submit", "Go")),
        ),
        answer_field="captcha",
        image="https://shop.example/sorry/image?id=17&hl=en",
    ),
    "trap": Shown(
        Kind.TURNSTILE,
        TURNSTILE,
        Form(
            "https://shop.example/verify",
            "POST",
            (("next", "/catalogue?page=2"), ("site", ""), ("mail", ""), ("go", "1")),
        ),
    ),
    "cloudflare": Shown(Kind.CLOUDFLARE_CHALLENGE, form=None),
    "cloudflare_interactive": Shown(Kind.CLOUDFLARE_CHALLENGE, form=None),
    "cloudflare_first_recaptcha": Shown(Kind.CLOUDFLARE_CHALLENGE, V2, None),
    "datadome": Shown(
        Kind.DATADOME,
        form=None,
        parameters={
            "captcha_url": "https://geo.captcha-delivery.com/captcha/?initialCid=made-up%3D%3D&hash=0A1B"
            "&cid=made~up&t=fe&referer=https%3A%2F%2Fshop.example%2Fcatalogue%3Fpage%3D2&s=17&e=0a&dm=cd"
        },
    ),
    "perimeterx": Shown(Kind.PERIMETERX, form=None),
    "perimeterx_script": Shown(Kind.PERIMETERX, form=None),
    "imperva": Shown(Kind.IMPERVA, form=None),
    "aliyun_waf": Shown(Kind.ALIYUN_WAF, form=None),
}
WIDGETS = {
    "comment_turnstile": (Kind.TURNSTILE, TURNSTILE),
    "login": (Kind.HCAPTCHA, UUID),
    "contact_picture": (Kind.IMAGE, None),
    "script": (Kind.HCAPTCHA, UUID),
    "arkose_application": (Kind.FUNCAPTCHA, "00000000-1111-2222-3333-444444444444"),
    "elsewhere_leads_on": (Kind.RECAPTCHA_V2, V2),
    "framework_fields": (Kind.TURNSTILE, TURNSTILE),
    "editor": (Kind.TURNSTILE, TURNSTILE),
    "choice": (Kind.HCAPTCHA, UUID),
    "layout": (Kind.TURNSTILE, TURNSTILE),
    "layout_invisible": (Kind.RECAPTCHA_V2, V2),
}
BLOCKS = {
    "amazon_click": "amazon",
    "amazon_waf_wait": "amazon_waf_silent",
    "baota_picture": "baota",
    "baota_slide": "baota",
    "bytedance_file": "bytedance",
    "bytedance_script": "bytedance",
    "bytedance_slide": "bytedance",
    "cdnfly_slide": "cdnfly",
    "cloudflare_iuam": "cloudflare",
    "cloudflare_check": "cloudflare",
    "cloudflare_waf": "cloudflare_ban",
    "datadome_ban": "datadome",
    "datadome_device_check": "datadome",
    "datadome_first": "datadome",
    "fastly_script": "fastly",
    "jiasule_second": "jiasule",
    "radware_captcha": "radware",
    "safeline_script": "safeline",
    "safeline_vendor": "safeline",
    "yunsuo_picture": "yunsuo",
} | {
    name: name
    for name in [
        "amazon",
        "amazon_waf_silent",
        "anubis",
        "arvan",
        "avito",
        "azure",
        "baidu",
        "balooproxy",
        "baota",
        "basedflare",
        "bing",
        "bunny",
        "bytedance",
        "cdndefend",
        "cdnfly",
        "cloudflare_ban",
        "crowdsec",
        "distil",
        "douban",
        "duckduckgo",
        "f5",
        "fastly",
        "imperva",
        "jiasule",
        "kasada",
        "linkedin",
        "ozon",
        "perimeterx",
        "qihoo",
        "radware",
        "reddit",
        "ruishu",
        "safeline",
        "servicepipe",
        "siteground",
        "sucuri",
        "tencent",
        "tencent_edgeone",
        "testcookie",
        "ubika",
        "weibo",
        "wildberries",
        "yunsuo",
        "zhihu",
    ]
}


def look(name: str) -> Detection | None:
    return detect(HtmlPage(URL, (PAGES / f"{name}.html").read_bytes(), status=None))


@pytest.mark.parametrize("name", CHALLENGES)
def test_challenges_come_with_all_that_a_purchase_needs(name: str) -> None:
    found = look(f"challenge_{name}")
    expected = CHALLENGES[name]
    assert found
    assert found.captcha
    assert (found.verdict, found.name) == (Verdict.CHALLENGE, expected.kind.value)
    captcha = found.captcha
    assert captcha.url == URL
    assert captcha.site_key == expected.key
    assert captcha.parameters == expected.parameters
    assert captcha.form == expected.form
    assert captcha.answer_field == expected.answer_field
    assert captcha.image == expected.image


@pytest.mark.parametrize("name", WIDGETS)
def test_a_captcha_on_an_ordinary_page_is_a_widget(name: str) -> None:
    found = look(f"widget_{name}")
    assert found
    assert found.captcha
    assert found.verdict is Verdict.WIDGET
    assert (found.captcha.kind, found.captcha.site_key) == WIDGETS[name]


@pytest.mark.parametrize("name", BLOCKS)
def test_walls_that_no_service_opens_are_blocks_by_name(name: str) -> None:
    found = look(f"block_{name}")
    assert found
    assert (found.verdict, found.name, found.captcha) == (Verdict.BLOCK, BLOCKS[name], None)


@pytest.mark.parametrize("path", sorted(PAGES.glob("none_*.html")), ids=lambda path: path.stem)
def test_content_is_nothing_whatever_words_it_holds(path: Path) -> None:
    assert look(path.stem) is None


def test_every_page_is_in_a_table() -> None:
    named = (
        {f"challenge_{name}" for name in CHALLENGES}
        | {f"widget_{name}" for name in WIDGETS}
        | {f"block_{name}" for name in BLOCKS}
    )
    stems = {path.stem for path in PAGES.glob("*.html")}
    assert {stem for stem in stems if not stem.startswith("none_")} == named


def test_every_kind_has_a_challenge() -> None:
    assert {shown.kind for shown in CHALLENGES.values()} == set(Kind)
