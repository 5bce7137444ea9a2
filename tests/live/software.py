"""The software of the sites: installed from its registry, in an environment of its own."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scrapy-captcha-live"
SITES = Path(__file__).parent / "sites"
DJANGO = ("django>=4.2", "django-simple-captcha", "django-recaptcha", "django-turnstile")
FLASK = ("flask", "flask-wtf", "flask-session", "cachelib", "flask-session-captcha")
EXPRESS = ("express", "express-session", "svg-captcha")
PHP = "/usr/share/php/Gregwar/Captcha/autoload.php"
TIMEOUT = 240.0  # seconds for an installation
# Words, of which {port} stands for the port, and what is in the environment besides.
Command = tuple[list[str], dict[str, str]]


def django_site() -> Command:
    return [_python(DJANGO), str(SITES / "django_site.py")], {}


def flask_site() -> Command:
    return [_python(FLASK), str(SITES / "flask_site.py")], {}


def express_site() -> Command:
    node = _found("node")
    npm = [_found("npm"), "install", "--silent", "--no-audit", "--no-fund", "--prefix"]
    home = _installed(EXPRESS, lambda home: [[*npm, str(home), *EXPRESS]])
    return [node, str(SITES / "express_site.js")], {"NODE_PATH": str(home / "node_modules")}


def php_site() -> Command:
    php = _found("php")
    if not Path(PHP).exists() or "gd" not in _output([php, "-m"]).split():
        pytest.skip("php-gd and php-gregwar-captcha are not installed")
    return [php, "-S", "127.0.0.1:{port}", str(SITES / "php_site.php")], {}


def _python(requirements: Sequence[str]) -> str:
    def commands(home: Path) -> list[list[str]]:
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "-q", *requirements]
        return [[sys.executable, "-m", "venv", str(home)], pip]

    return str(_installed((sys.version, *requirements), commands) / "bin" / "python")


def _found(command: str) -> str:
    path = shutil.which(command)
    if path is None:
        pytest.skip(f"{command} is not installed")
    return path


def _installed(what: Sequence[str], commands: Callable[[Path], list[list[str]]]) -> Path:
    """Where *what* is, once *commands* have installed it; skips the test where they cannot."""
    home = CACHE / hashlib.sha256("\n".join(what).encode()).hexdigest()[:16]
    done = home / "installed"
    with _locked(home):
        if not done.exists():
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir(parents=True)
            for command in commands(home):
                _output(command)
            done.touch()
    return home


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with home.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _output(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=True, timeout=TIMEOUT
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", None) or error).strip().splitlines()
        pytest.skip(f"{command[0]} could not install the site's software: {said[-1]}")
    return done.stdout
