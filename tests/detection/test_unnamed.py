"""Pictures without a telling name are captchas where they are all of a page that says so."""

from __future__ import annotations

import pytest

from scrapy_captcha.detection import HtmlPage, Verdict, detect
from scrapy_captcha.models import Captcha, Form, Kind
from scrapy_captcha.policy import reason_not_to_answer

URL = "https://shop.example/item/1"
IMAGE = '<img src="/i.php?n=17">'
REST = '<input name="t"><button>Go</button>'
SVG = '<svg width="150" height="50" viewBox="0,0,150,50"><path d="M1 1L2 2"/></svg>'


def captcha(picture: str, text: str, rest: str = REST, status: int | None = 200) -> Captcha | None:
    html = f"{text}<form method=post>{picture}{rest}</form>"
    found = detect(HtmlPage(URL, html.encode(), status))
    assert found is None or found.verdict is Verdict.CHALLENGE
    return found.captcha if found else None


@pytest.mark.parametrize(
    "text",
    [
        "<title>Are you a robot?</title>",
        "<h1>Human verification</h1>",
        "Enter the security code",
        "Please type the characters in the image",
        "Bitte geben Sie die Zeichen aus dem Bild ein",
        "Sicherheitscode:",
        "Recopiez le code de sécurité",
        "Saisissez les caractères de l'image",
        "Introduzca el código de la imagen",
        "Inserisci i caratteri che vedi nell'immagine",
        "Digite os caracteres da imagem",
        "Neem de tekens uit de afbeelding over",
        "Przepisz kod z obrazka",
        "Введите код с картинки",  # noqa: RUF001 - Russian
        "Введіть символи із зображення",
        "Opište kód z obrázku",
        "Güvenlik kodunu yazın",  # noqa: RUF001 - Turkish
        "Írja be a képen látható kódot",
        "Introduceți codul din imagine",
        "Ange säkerhetskoden",
        "请输入图中的字符",
        "请输入验证码",
        "請輸入驗證碼",
        "画像に表示された文字を入力してください",
        "보안문자를 입력하세요",
        "أدخل الأحرف الظاهرة في الصورة",
        "کد امنیتی را وارد کنید",
        "Nhập mã xác nhận",
        "กรอกรหัสในภาพ",
    ],
)
def test_the_page_says_so_in_its_language(text: str) -> None:
    found = captcha(IMAGE, text)
    assert found is not None
    assert (found.kind, found.image, found.answer_field) == (
        Kind.IMAGE,
        "https://shop.example/i.php?n=17",
        "t",
    )


@pytest.mark.parametrize(
    ("picture", "rest"),
    [
        (IMAGE, '<label>Security code <input name="t"></label><input type="submit">'),
        (IMAGE, '<input name="t" placeholder="Security code"><button>Go</button>'),
        (IMAGE, '<input name="t" aria-label="Security code"><button>Go</button>'),
        (f'<div class="captcha-box">{IMAGE}</div>', REST),
        ('<img src="/i.php?n=17" title="Security code">', REST),
        (SVG, '<input name="captcha"><button>Verify</button>'),
        (SVG, '<input name="answer" id="captcha"><button>Verify</button>'),
    ],
)
def test_a_label_or_a_name_around_the_picture_says_it_as_well(picture: str, rest: str) -> None:
    assert captcha(picture, "", rest) is not None


@pytest.mark.parametrize(
    ("picture", "text", "rest"),
    [
        (IMAGE, "Which bird is this?", REST),
        (IMAGE, "Enter the code that we have sent you", REST),
        (IMAGE, "Enter the code of your gift card", REST),
        ('<img src="/logo.png">', "Enter the security code", REST),
        ('<img src="/i.php" class="logo">', "Enter the security code", REST),
        ('<img src="/i.php" width="1" height="1">', "Are you a robot?", REST),
        (IMAGE * 2, "Are you a robot?", REST),
        ("", "Are you a robot?", REST),
        (IMAGE, "Are you a robot?", '<input name="t">'),
        (IMAGE, "Are you a robot?", '<input name="a">' + REST),
        (IMAGE, "Are you a robot?", "<textarea name=a></textarea>" + REST),
        (IMAGE, "Are you a robot?", '<input name="email"><button>Go</button>'),
        (IMAGE, "Are you a robot?", '<input type="password" name="t"><button>Go</button>'),
        (IMAGE, "Are you a robot?" + "x" * 1100, REST),
        (IMAGE, "Are you a robot?" + '<a href="/more">x</a>' * 6, REST),
        ('<svg width="24" height="24"><path/></svg>', "Are you a robot?", REST),
    ],
)
def test_other_pictures_and_other_forms_are_none(picture: str, text: str, rest: str) -> None:
    assert captcha(picture, text, rest) is None


@pytest.mark.parametrize(
    "heads",
    [
        "<title>Verification</title><h1>Verification</h1>",
        "<h1>Security check</h1>",
        "<h2>Проверка</h2>",
        "<title>安全验证</title>",
    ],
)
def test_a_page_with_nothing_else_may_be_headed_as_a_check(heads: str) -> None:
    assert (
        captcha(IMAGE, heads, '<input name="phrase"><input type="submit" value="OK">') is not None
    )


@pytest.mark.parametrize(
    ("picture", "text"),
    [
        (IMAGE, "<h1>Certificate verification</h1>"),
        (IMAGE, "<h1>Age verification</h1>"),
        (IMAGE, "<h1>Two-factor verification</h1>"),
        (IMAGE, "<title>My bank</title><h1>Verification</h1>"),
        (IMAGE, "<h1>Verification</h1><p>" + "We ask each visitor which bird this is. " * 3),
        (IMAGE, '<h1>Verification</h1><a href="/more">More</a>'),
        (IMAGE, '<h1>Verification</h1><img src="/j.php">'),
        ('<img src="/seal.png">', "<h1>Verification</h1>"),
    ],
)
def test_a_heading_alone_names_no_captcha_on_other_pages(picture: str, text: str) -> None:
    assert captcha(picture, text) is None


@pytest.mark.parametrize("source", ["/captcha.php?refresh=17", "/i.php?reload=1&amp;n=17"])
def test_a_picture_that_is_loaded_anew_is_no_button_for_that(source: str) -> None:
    assert captcha(f'<img src="{source}">', "Are you a robot?") is not None


def test_a_layout_around_a_picture_that_refuses_does_not_hide_it() -> None:
    layout = '<a href="/more">x</a>' * 20 + "<img src=/logo.png><h1>Are you a robot?</h1>"
    assert captcha(IMAGE, layout) is None
    assert captcha(IMAGE, layout, status=403) is not None


@pytest.mark.parametrize(
    "picture",
    [
        "<div style=\"background-image: url('data:image/png;base64,iVBORw0KGgo=')\"></div>",
        '<img src="data:image/png;base64,iVBORw0KGgo=">',
    ],
)
def test_a_picture_may_stand_in_the_page(picture: str) -> None:
    found = captcha(picture, "Are you a robot?")
    assert found is not None
    assert found.image == "data:image/png;base64,iVBORw0KGgo="


@pytest.mark.parametrize(
    ("picture", "beginning"),
    [
        (SVG, "data:image/svg+xml;base64,PHN2Z"),
        ('<img src="data:image/svg+xml;base64,PHN2Zz4=">', "data:image/svg+xml;base64,PHN2Z"),
        ('<img src="/code/17.svg">', "https://shop.example/code/17.svg"),
        ('<img class="captcha" src="/captcha.svg?17">', "https://shop.example/captcha.svg?17"),
    ],
)
def test_drawings_are_recognised_and_never_bought(picture: str, beginning: str) -> None:
    found = captcha(picture, "Type the characters in the picture")
    assert found is not None
    assert found.image is not None
    assert found.image.startswith(beginning)
    assert reason_not_to_answer(found) == "svg"
    assert reason_not_to_answer(found, own_way=True) == "svg"


def test_a_bitmap_is_bought_whatever_its_query_says() -> None:
    form = Form(URL, "POST")
    for image in ("https://shop.example/i?f=.svg", "data:image/png;base64,iVBORw0KGgo="):
        assert reason_not_to_answer(Captcha(Kind.IMAGE, URL, image=image, form=form)) is None
