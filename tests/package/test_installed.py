"""What is built can be published, and what is installed works where the sources are not.

Run by ``tox run -e package``, with the wheel installed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

import scrapy_captcha

if TYPE_CHECKING:
    from scrapy_captcha.sandbox import SandboxProcess

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "tests" / "pages" / "challenge_turnstile.html"

pytestmark = pytest.mark.skipif(
    Path(scrapy_captcha.__file__).parents[1] == ROOT, reason="for the installed wheel"
)


def run(*command: str | Path, cwd: Path) -> str:
    """What a module of Python's says that is run in *cwd*; it has to end well."""
    told = subprocess.run(  # noqa: S603
        [sys.executable, "-m", *map(str, command)], cwd=cwd, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout + told.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the sdist, and the wheel that was built from it."""
    directory = tmp_path_factory.mktemp("dist")
    run("build", "--no-isolation", "--outdir", directory, ROOT, cwd=directory)
    return directory


def test_an_index_would_take_both(built: Path) -> None:
    told = run("twine", "check", "--strict", *built.iterdir(), cwd=built)

    assert told.count("PASSED") == 2


def test_the_sdist_gives_the_wheel_that_the_sources_give(built: Path, tmp_path: Path) -> None:
    run("build", "--no-isolation", "--wheel", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    (ours,), (theirs,) = tmp_path.glob("*.whl"), built.glob("*.whl")

    assert ours.name == theirs.name
    assert ours.read_bytes() == theirs.read_bytes()


def test_the_sdist_holds_all_that_is_kept_here(built: Path) -> None:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("these are no sources under version control")
    command = [git, "ls-files", "--cached", "--others", "--exclude-standard"]
    kept = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as sdist:
        held = {name.partition("/")[2] for name in sdist.getnames()}

    assert held - {"PKG-INFO"} == set(kept.stdout.split())


def test_the_wheel_holds_the_package_its_types_and_its_licence_and_no_more(built: Path) -> None:
    (path,) = built.glob("*.whl")
    with ZipFile(path) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
        rest = {name.partition(".dist-info/")[2] for name in set(wheel.namelist()) - held}

    sources = (ROOT / "scrapy_captcha").rglob("*")
    files = {
        path.relative_to(ROOT).as_posix() for path in sources if path.suffix in {".py", ".typed"}
    }
    assert held == files
    assert rest == {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}


def test_what_an_index_shows_leads_nowhere_that_it_has_not() -> None:
    metadata = distribution("scrapy-captcha").read_text("METADATA") or ""
    head, _, text = metadata.partition("\n\n")

    assert f"\nVersion: {scrapy_captcha.__version__}\n" in head
    assert "\nLicense-Expression: MIT\n" in head
    assert text.startswith("# scrapy-captcha\n")
    assert re.findall(r"\]\((?!https?:|#)", text) == []
    assert "Changes are listed in CHANGES.md." in text


SETTINGS = """
ADDONS = {{"scrapy_captcha.Addon": 500}}
CAPTCHA_API_URL = "{api_url}"
CAPTCHA_API_KEY = "{api_key}"
"""
SPIDER = """
import scrapy

class ItemsSpider(scrapy.Spider):
    name = "items"
    allowed_domains = ["127.0.0.1"]
    start_urls = ["{site_url}/"]

    def parse(self, response):
        for link in response.css("li a"):
            yield response.follow(link, self.parse_item)

    def parse_item(self, response):
        yield {{"title": response.css("h1::text").get()}}
"""


def test_one_line_in_a_new_project_gets_its_captchas_solved(
    captcha_sandbox: SandboxProcess, tmp_path: Path
) -> None:
    """The fixture is found by itself too: nobody has named its plugin here."""
    run("scrapy", "startproject", "shop", cwd=tmp_path)
    project = tmp_path / "shop" / "shop"
    url, key, site = captcha_sandbox.api_url, captcha_sandbox.api_key, captcha_sandbox.site_url
    with (project / "settings.py").open("a") as settings:
        settings.write(SETTINGS.format(api_url=url, api_key=key) + "DOWNLOAD_DELAY = 0\n")
    (project / "spiders" / "items.py").write_text(SPIDER.format(site_url=site))
    output = tmp_path / "items.csv"
    run("scrapy", "crawl", "items", "-O", output, "-s", "ROBOTSTXT_OBEY=False", cwd=project)

    titles = output.read_text().split("\n")
    assert titles[0] == "title"
    assert "Item 1" in titles
    assert captcha_sandbox.state()["site"]["accepted"] >= 1


def test_the_commands_work_in_an_empty_directory(tmp_path: Path) -> None:
    assert "challenge" in run("scrapy", "captcha", "detect", PAGE, cwd=tmp_path)
    assert "spent" in run("scrapy", "captcha", "demo", cwd=tmp_path)


def test_types_are_those_that_are_promised(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "api" / "usage.py", tmp_path)

    assert "Success" in run("mypy", "--strict", "--cache-dir", tmp_path, "usage.py", cwd=tmp_path)
