"""The file of the journal."""

from __future__ import annotations

import logging
import sqlite3
from typing import TYPE_CHECKING, Any

from scrapy_captcha.files import make_private

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

logger = logging.getLogger(__name__)


class Entries:
    """Bytes by name, in SQLite. The first failure is logged; nothing is written after it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(path.name + "-wal")
        self._db: sqlite3.Connection | None = None
        self._is_ours = False
        self.failed = False
        self.is_taken = False  # another process has it open

    def __str__(self) -> str:
        return str(self._path)

    def exists(self) -> bool:
        """Whether there is a file, of this run or of an earlier one."""
        return self._path.exists()

    def read(self) -> list[tuple[Any, Any]]:
        """All names and data in the file; of any type if the file is damaged."""
        rows: list[tuple[Any, Any]] = []
        try:
            rows.extend(self._opened().execute("SELECT name, data FROM entries"))
        except (sqlite3.OperationalError, OSError) as error:  # locked, say: another crawl's
            self._fail(error)
        except (
            sqlite3.DatabaseError,
            UnicodeDecodeError,
        ) as error:  # in a message
            self._put_aside(error)
        return rows

    def write(self, name: bytes, data: bytes) -> None:
        """Stores *data* under *name*, replacing what was there."""
        self._do("INSERT OR REPLACE INTO entries VALUES (?, ?)", [(name, data)])

    def delete(self, names: Iterable[bytes]) -> None:
        """Deletes the entries *names*."""
        self._do("DELETE FROM entries WHERE name = ?", [(name,) for name in names])

    def remove(self) -> None:
        """Deletes the file, unless it is another crawl's."""
        self.close()
        if self._is_ours:
            try:
                for path in (self._path, self._log):
                    path.unlink(missing_ok=True)
            except OSError as error:
                self._fail(error)

    def close(self) -> None:
        """Closes the file, which stays."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _do(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        if self.failed:
            return
        try:
            self._opened().executemany(statement, rows)
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            self._fail(error)

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            make_private(self._path)
            self._db = sqlite3.connect(self._path, timeout=0, isolation_level=None)
            self._db.text_factory = bytes  # garbage is no UTF-8
            # A process that is killed loses nothing that it has handed to the system; only a
            # machine that stops does, and to wait for its disk costs a thousand times as much.
            self._db.execute("PRAGMA synchronous = OFF")
            # One crawl has a job directory. Without others to share it with, the log works on
            # network file systems too.
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS entries (name BLOB PRIMARY KEY, data BLOB)"
            )
            self._is_ours = True
        return self._db

    def _put_aside(self, error: Exception) -> None:
        self.close()
        aside = self._path.with_name(self._path.name + ".damaged")
        try:
            self._path.replace(aside)
            self._log.unlink(missing_ok=True)
        except OSError:
            self._fail(error)
        else:
            logger.warning(
                "The captcha journal is damaged and now %(aside)s: %(error)s",
                {"aside": aside, "error": error},
            )

    def _fail(self, error: Exception) -> None:
        self.close()
        if self.failed:
            return
        self.failed = True
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            self.is_taken = True
            logger.error(
                "JOBDIR = %(path)s is in use by another crawl: this one buys nothing, as no limit "
                "would hold; give each crawl a JOBDIR of its own",
                {"path": str(self._path.parent)},
            )
        else:
            logger.warning(
                "No captcha journal from now on: pages that wait are lost if the crawl is killed. "
                "%(path)s: %(error)s",
                {"path": self._path, "error": error},
            )
