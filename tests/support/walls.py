"""A challenge page with a widget and a form."""

from __future__ import annotations

KEY = "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"


def wall(action: str, key: str = KEY, method: str = "post") -> str:
    return (
        "<html><head><title>One moment</title>"
        '<script src="https://www.google.com/recaptcha/api.js" async defer></script></head>'
        f'<body><form method="{method}" action="{action}"><input type="hidden" name="a" value="b">'
        f'<div class="g-recaptcha" data-sitekey="{key}"></div>'
        '<button type="submit">Continue</button></form></body></html>'
    )
