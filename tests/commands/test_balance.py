"""``scrapy captcha balance`` as a user runs it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from commanding import Command
from forked import sandbox_process

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def balance(directory: Path, **settings: object) -> subprocess.CompletedProcess[str]:
    given = [
        f"-s{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in settings.items()
    ]
    return Command(directory).run("balance", *given)


def test_the_balance_of_each_account_is_told(tmp_path: Path) -> None:
    with sandbox_process(pages=1) as sandbox:
        names = ["capsolver", "2captcha"]
        settings = {
            "CAPTCHA_PROVIDERS": ",".join(names),
            "CAPTCHA_API_URLS": {name: sandbox.services[name] for name in names},
        }
        keys = dict.fromkeys(names, sandbox.api_key)
        told = balance(tmp_path, **settings, CAPTCHA_KEYS=keys)
        wrong = balance(tmp_path, **settings, CAPTCHA_KEYS=keys | {"capsolver": "sesame"})

    assert (told.returncode, told.stdout) == (0, "capsolver: 10.0\n2captcha: 10.0\n"), told.stderr
    assert (wrong.returncode, wrong.stdout) == (1, "2captcha: 10.0\n")
    assert wrong.stderr == "capsolver: AUTH_INVALID (HTTP 401): API key not found or invalid\n"


def test_without_an_account_there_is_no_balance_and_no_key_is_shown(tmp_path: Path) -> None:
    nothing = balance(tmp_path)
    one = {"CAPTCHA_PROVIDERS": "capsolver,2captcha", "CAPTCHA_KEYS": {"capsolver": "sesame"}}
    one_only = balance(tmp_path, **one)

    assert (nothing.returncode, one_only.returncode) == (1, 1)
    assert "CAPTCHA_API_URL" in nothing.stderr
    assert "CAPTCHA_KEY_2CAPTCHA" in one_only.stderr
    assert "sesame" not in one_only.stderr
