"""``scrapy captcha`` as a user runs it: in a process of its own, in a directory of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import forked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# The command as Scrapy finds it, with everything that is deprecated refused.
_SCRAPY = """
import warnings
warnings.simplefilter("error", DeprecationWarning)
from scrapy.exceptions import ScrapyDeprecationWarning
warnings.simplefilter("error", ScrapyDeprecationWarning)
from importlib.metadata import EntryPoint
import scrapy.cmdline
command = EntryPoint("captcha", "scrapy_captcha.commands.captcha:Command", "scrapy.commands")
scrapy.cmdline.entry_points = lambda group: [command]
scrapy.cmdline.execute()
"""
# Makes the terminal that the process has its own, so that Ctrl-C gets there.
_AT_A_TERMINAL = "import os; os.close(os.open(os.ttyname(0), os.O_RDWR))\n"


@dataclass(frozen=True)
class Command:
    """The command in *directory*."""

    directory: Path

    def run(
        self, *arguments: str, encoding: str = "utf-8", before: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Runs it to its end, with output in *encoding*, and *before* it other code.

        In a new interpreter where one of these is given.
        """
        if encoding == "utf-8" and not before:
            code = ["-c", _SCRAPY, "captcha", *arguments]
            env = self._environment(encoding)
            return forked.run(code, cwd=self.directory, env=env, timeout=180)
        return subprocess.run(  # noqa: S603
            [sys.executable, "-c", before + _SCRAPY, "captcha", *arguments],
            cwd=self.directory,
            env=self._environment(encoding),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding=encoding,
            check=False,
            timeout=180,
        )

    def started(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts it, with its output in a pipe."""
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", _SCRAPY, "captcha", *arguments],
            cwd=self.directory,
            env=self._environment("utf-8"),
            stdout=subprocess.PIPE,
        )

    def at(self, terminal: int, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts it at the *terminal* of that file descriptor."""
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", _AT_A_TERMINAL + _SCRAPY, "captcha", *arguments],
            cwd=self.directory,
            env=self._environment("utf-8"),
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )

    def _environment(self, encoding: str) -> Mapping[str, str]:
        home, cache = str(self.directory), str(self.directory / "cache")
        own = {"HOME": home, "XDG_CACHE_HOME": cache, "PYTHONIOENCODING": encoding}
        return os.environ | own
