"""What is saved is whole, and what goes wrong is said once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scrapy_captcha.store.statefile import StateFile

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_saved_last_is_loaded(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "state.json")
    assert file.load() is None
    for number in range(3):
        file.save({"number": number})

    assert StateFile(tmp_path / "state.json").load() == {"number": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_save_that_is_cut_leaves_what_was_saved_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = StateFile(tmp_path / "state.json")
    file.save({"number": 1})

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("scrapy_captcha.store.statefile.opened", full)
    for _ in range(2):
        file.save({"number": 2})

    assert file.load() == {"number": 1}
    assert caplog.text.count("cannot be written (OSError)") == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\x00\xff", b"[" * 100_000, b"1" * 5_000])
def test_what_cannot_be_read_is_as_if_it_were_not_there(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state.json").write_bytes(content)

    assert StateFile(tmp_path / "state.json").load() is None
    assert caplog.text.count("is damaged") == 1
