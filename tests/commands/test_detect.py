"""``scrapy captcha detect``, on the pages of these tests and on a local site."""

from __future__ import annotations

import gzip
import json
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from commanding import Command
from scrapy.settings import Settings

from scrapy_captcha.commands.detect import run as run_detect
from scrapy_captcha.detection import Detection, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = Path(__file__).parents[1] / "pages"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass

    def send_head(self) -> Any:
        self.close_connection = True
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", "/challenge_hcaptcha.html")
            self.end_headers()
            return None
        if self.path.startswith("/busy"):
            self.path = "/challenge_turnstile.html"
            self.send_response(429)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            return (PAGES / "challenge_turnstile.html").open("rb")
        return super().send_head()


@contextmanager
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(PAGES)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def page(name: str) -> str:
    return str(PAGES / f"{name}.html")


def detected(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    run_detect(Settings(), ["--json", *arguments])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_saved_page_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    code = run_detect(Settings(), ["--url", "https://shop.example/a", page("challenge_hcaptcha")])
    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert lines[0].endswith("challenge_hcaptcha.html: challenge: hCaptcha, confidence 0.9")
    assert "    the form asks for nothing else" in lines
    bought = next(line for line in lines if line.startswith("    would buy "))
    assert bought.startswith("    would buy HCaptchaTaskProxyless at unified for about 0.005")
    assert "        site_key: 10000000-ffff-ffff-ffff-000000000001" in lines
    assert "        form: POST https://shop.example/verify" in lines


@pytest.mark.parametrize(
    ("name", "verdict", "task", "reason"),
    [
        ("challenge_amazon", "challenge", "ImageToTextTask", None),
        ("challenge_perimeterx", "challenge", None, "METHOD_INVALID"),
        ("challenge_broken_key", "challenge", None, "site_key"),
        ("challenge_cloudflare_recaptcha", "challenge", None, "get_form"),
        ("block_radware", "block", None, "nothing on it can be answered"),
        ("widget_login", "widget", "HCaptchaTaskProxyless", None),
    ],
)
def test_it_tells_what_would_be_bought_or_why_nothing(
    name: str,
    verdict: str,
    task: str | None,
    reason: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (told,) = detected(capsys, page(name))
    assert (told["verdict"], told["task"], told["reason"]) == (verdict, task, reason)


def test_what_would_be_bought_is_what_the_providers_of_the_settings_sell(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = Settings({"CAPTCHA_PROVIDERS": ["anticaptcha", "capsolver"]})
    pages = [page(name) for name in ("challenge_hcaptcha", "challenge_mtcaptcha")]
    run_detect(settings, ["--json", *pages])
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [one["task"] for one in told] == [None, "MtCaptchaTaskProxyLess"]
    assert told[0]["reason"] == "METHOD_INVALID"
    assert (told[1]["provider"], told[1]["price"]) == ("capsolver", 0.002)


def test_the_exit_code_is_that_of_grep(capsys: pytest.CaptureFixture[str]) -> None:
    content, wall, challenge = page("none_article"), page("block_radware"), page("challenge_amazon")
    assert run_detect(Settings(), [content, wall]) == 1
    assert run_detect(Settings(), [content, wall, challenge]) == 0
    assert run_detect(Settings(), [challenge, page("no_such")]) == 2
    assert "no_such.html: error: " in capsys.readouterr().out


def test_a_gzipped_page_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(Path(page("challenge_amazon")).read_bytes()))
    (tmp_path / "b.gz").write_bytes(b"\x1f\x8b broken")
    whole, broken = detected(capsys, str(tmp_path / "a.gz"), str(tmp_path / "b.gz"))
    assert whole["name"] == "image"
    assert "error" in broken


def test_pages_are_downloaded_as_they_are_whatever_their_status(tmp_path: Path) -> None:
    with site() as url:
        urls = [f"{url}/{path}" for path in ("busy", "moved", "none_article.html", "no_such")]
        done = Command(tmp_path).run("detect", "--json", *urls)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert [one["page"] for one in told] == urls
    names = [one.get("name") for one in told]
    assert names == ["turnstile", "hcaptcha", None, None]
    assert told[1]["captcha"]["url"] == f"{url}/challenge_hcaptcha.html"


def test_settings_hold_for_the_download_and_nothing_is_bought(tmp_path: Path) -> None:
    (tmp_path / "scrapy.cfg").write_text("[settings]\ndefault = project\n")
    (tmp_path / "project.py").write_text(
        'ADDONS = {"scrapy_captcha.Addon": 500}\n'
        'CAPTCHA_API_URL = "http://127.0.0.1:1"\nCAPTCHA_API_KEY = "none"\n'
        'DOWNLOADER_MIDDLEWARES = {"project.Elsewhere": 1}\n'
        "class Elsewhere:\n"
        "    def process_request(self, request, spider=None):\n"
        '        if "/start" in request.url:\n'
        '            return request.replace(url=request.url.replace("start", "challenge_hcaptcha.html"))\n'
    )
    with site() as url:
        done = Command(tmp_path).run("detect", f"{url}/start")
    assert done.returncode == 0, done.stderr
    assert "would buy HCaptchaTaskProxyless" in done.stdout


NOT_SO = """
CAPTCHA_DETECTORS = {"widgets": None, "pictures": None, "own": "project.own"}
CAPTCHA_DETECT_MAXSIZE = 3_000

from scrapy_captcha import Detection, Verdict

def own(document):
    if b"numbered" in document.body:
        return Detection(Verdict.BLOCK, "own", None, ("says so",), 1.0)
"""


def test_the_detectors_and_the_size_of_the_settings_hold(tmp_path: Path) -> None:
    (tmp_path / "scrapy.cfg").write_text("[settings]\ndefault = project\n")
    (tmp_path / "project.py").write_text(NOT_SO)
    (tmp_path / "own.html").write_text("<p>numbered")
    (tmp_path / "big.html").write_text(Path(page("block_imperva")).read_text() + " " * 3_000)
    saved = ["own.html", "big.html", page("challenge_hcaptcha"), page("block_imperva")]
    with site() as url:
        pages = [*saved, f"{url}/challenge_hcaptcha.html"]
        told = Command(tmp_path).run("detect", "--json", *pages)
    names = [json.loads(line).get("name") for line in told.stdout.splitlines()]
    assert names == ["own", None, None, "imperva", None]


def test_a_wrong_setting_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings({"CAPTCHA_DETECTORS": {"widget": None}})
    assert run_detect(settings, [page("none_article")]) == 2
    assert "did you mean widgets?" in capsys.readouterr().err


def test_a_detector_that_breaks_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings({"CAPTCHA_DETECTORS": {"own": lambda _: "hcaptcha"}})
    assert run_detect(settings, [page("none_article")]) == 2
    assert "error: a detector raises TypeError" in capsys.readouterr().out


def test_a_page_that_cannot_be_downloaded_is_an_error(tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:1/"
    done = Command(tmp_path).run("detect", nobody)
    assert done.returncode == 2
    assert done.stdout.startswith(f"{nobody}: error: ")


def test_what_a_page_or_a_detector_says_does_not_reach_the_terminal_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "\x1b[2J\u202e"
    widget = '<div class="h-captcha" data-sitekey="10000000-ffff-ffff-ffff-000000000001"></div>'
    page = tmp_path / "page.html"
    page.write_text(
        f"<title>{hostile}</title><form action='/{hostile}' method=post>{widget}</form>"
    )

    def breaks(_document: object) -> None:
        raise ValueError(f"\n{hostile}")

    def says(_document: object) -> Detection:
        return Detection(Verdict.BLOCK, f"100% {hostile}", None, (f"\n{hostile}",), 1.0)

    for detectors in ({}, {"own": breaks}, {"own": says, "widgets": None}):
        settings = Settings({"CAPTCHA_DETECTORS": detectors})
        run_detect(settings, [str(page), str(tmp_path / f"none{hostile}")])
        out, err = capsys.readouterr()
        assert (out + err).replace("\n", "").isprintable()
        assert all(line.startswith((" ", str(tmp_path))) for line in out.splitlines())
