from __future__ import annotations

from scrapy_captcha.commands.findings import bad, good, warning


def test_each_has_its_sign_and_what_to_do_below_it() -> None:
    assert good("all is well").shown("utf-8") == "✓ all is well"
    assert warning("odd", "look").shown("utf-8") == "! odd\n  -> look"
    assert bad("broken", "mend it").shown("utf-8") == "✗ broken\n  -> mend it"
    assert bad("broken").shown("utf-8") == "✗ broken"


def test_without_the_signs_words_stand_in_for_them() -> None:
    for encoding in ("ascii", "latin-1"):
        assert good("all is well").shown(encoding) == "ok all is well"
        assert warning("odd", "look").shown(encoding) == "!  odd\n   -> look"
        assert bad("broken", "mend it").shown(encoding) == "X  broken\n   -> mend it"


def test_what_the_encoding_lacks_is_escaped() -> None:
    assert good("write https://…").shown("ascii") == "ok write https://\\u2026"
