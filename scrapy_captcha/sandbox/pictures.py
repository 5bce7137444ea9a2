"""Pictures of distorted text."""

from __future__ import annotations

import secrets

_LETTERS = "ACDEFHKLMNPRTUWXY34679"  # none that looks like another
_LENGTH = 5


def new_text() -> str:
    """A text for a picture, unlike any before."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def draw(text: str) -> bytes:
    """*text* as a PNG, never twice the same bytes.

    Raises RuntimeError when the optional dependency that draws is not installed.
    """
    try:
        from captcha.image import ImageCaptcha
    except ImportError as error:
        msg = "Picture captchas need the extra: pip install 'scrapy-captcha[sandbox]'"
        raise RuntimeError(msg) from error
    return bytes(ImageCaptcha().generate(text).getvalue())
