"""The markup of the vendors' captchas in a page.

Site keys are the vendors' published test keys where there are any (reCAPTCHA v2, hCaptcha,
Turnstile), else made up in the vendor's shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING

from scrapy_captcha.models import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class WidgetMarkup:
    """Markup of a kind: *script* loads it, *element* stands inside the form.

    ``$key``, ``$challenge`` and ``$picture`` are filled in per visit.
    """

    site_key: str
    script: str
    element: str

    def render(self, site_key: str, challenge: str, picture: str) -> tuple[str, str]:
        """*script* and *element*, filled in."""
        words = {"key": site_key, "challenge": challenge, "picture": picture}
        return Template(self.script).substitute(words), Template(self.element).substitute(words)


_GOOGLE = "https://www.google.com/recaptcha"
_RECAPTCHA_BOX = '<div class="g-recaptcha" data-sitekey="$key" data-callback="passed"></div>'
_RECAPTCHA_SCORE = (
    '<input type="hidden" name="g-recaptcha-response" id="g-recaptcha-response" value="">'
)


def _score_script(api: str, grecaptcha: str) -> str:
    return (
        f'<script src="{_GOOGLE}/{api}?render=$key"></script>\n'
        f"<script>{grecaptcha}.ready(function () {{\n"
        f"  {grecaptcha}.execute('$key', {{action: 'verify'}}).then(passed);\n"
        "});</script>"
    )


def _hidden(*names: str) -> str:
    return "".join(f'<input type="hidden" name="{name}" value="">' for name in names)


WIDGETS: Mapping[Kind, WidgetMarkup] = {
    Kind.RECAPTCHA_V2: WidgetMarkup(
        "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI",
        f'<script src="{_GOOGLE}/api.js" async defer></script>',
        _RECAPTCHA_BOX,
    ),
    Kind.RECAPTCHA_V2_ENTERPRISE: WidgetMarkup(
        "6LdSandboxAAAAAEnterpriseCheckbox0000001",
        f'<script src="{_GOOGLE}/enterprise.js" async defer></script>',
        _RECAPTCHA_BOX,
    ),
    Kind.RECAPTCHA_V3: WidgetMarkup(
        "6LdSandboxAAAAAScoreWithoutChallenge0003",
        _score_script("api.js", "grecaptcha"),
        _RECAPTCHA_SCORE,
    ),
    Kind.RECAPTCHA_V3_ENTERPRISE: WidgetMarkup(
        "6LdSandboxAAAAAEnterpriseScore0000000004",
        _score_script("enterprise.js", "grecaptcha.enterprise"),
        _RECAPTCHA_SCORE,
    ),
    Kind.HCAPTCHA: WidgetMarkup(
        "10000000-ffff-ffff-ffff-000000000001",
        '<script src="https://js.hcaptcha.com/1/api.js" async defer></script>',
        '<div class="h-captcha" data-sitekey="$key" data-callback="passed"></div>',
    ),
    Kind.TURNSTILE: WidgetMarkup(
        "1x00000000000000000000AA",
        '<script src="https://challenges.cloudflare.com/turnstile/v0/api.js" async defer></script>',
        '<div class="cf-turnstile" data-sitekey="$key" data-callback="passed"></div>',
    ),
    Kind.GEETEST_V3: WidgetMarkup(
        "5a4db0c5e7e1d0f34c9b2a8876d1e0f3",
        '<script src="https://static.geetest.com/static/js/gt.0.5.0.js"></script>',
        """<div id="geetest-box"></div>
<script>initGeetest({gt: "$key", challenge: "$challenge", offline: false, new_captcha: true,
  product: "embed"}, function (box) { box.appendTo("#geetest-box"); box.onSuccess(passed); });
</script>"""
        + _hidden("geetest_challenge", "geetest_validate", "geetest_seccode"),
    ),
    Kind.GEETEST_V4: WidgetMarkup(
        "f9c1e2a07b6d4835a1d0c4e8b2f67a90",
        '<script src="https://static.geetest.com/v4/gt4.js"></script>',
        """<div id="geetest-box"></div>
<script>initGeetest4({captchaId: "$key", product: "float"},
  function (box) { box.appendTo("#geetest-box"); box.onSuccess(passed); });</script>"""
        + _hidden("captcha_id", "lot_number", "pass_token", "gen_time", "captcha_output"),
    ),
    Kind.FUNCAPTCHA: WidgetMarkup(
        "5A2D0B0C-0000-4000-8000-00005A2DB0C5",
        '<script src="https://client-api.arkoselabs.com/v2/$key/api.js" data-callback="setup" '
        "async defer></script>",
        '<div id="FunCaptcha" data-pkey="$key"></div>' + _hidden("fc-token"),
    ),
    Kind.AMAZON_WAF: WidgetMarkup(
        "AQIDAHjcYuSandbox0GjXQlghicBgQ7bFaQZm5FKCMDnOvTbNg96A",
        """<script>
window.awsWafCookieDomainList = [];
window.gokuProps = {"key": "$key", "iv": "CgAHbCe2GgAAAAAj", "context": "$challenge"};
</script>
<script src="https://5a2db0c5e7e1.us-east-1.token.awswaf.com/5a2db0c5e7e1/0f34c9/challenge.js">
</script>
<script src="https://5a2db0c5e7e1.us-east-1.captcha.awswaf.com/5a2db0c5e7e1/0f34c9/captcha.js">
</script>""",
        '<div id="captcha-container"></div>',
    ),
    Kind.MTCAPTCHA: WidgetMarkup(
        "MTPublic-5aNdB0x01",
        '<script>var mtcaptchaConfig = {"sitekey": "$key"};</script>\n'
        '<script src="https://service.mtcaptcha.com/mtcv1/client/mtcaptcha.min.js" async></script>',
        '<div class="mtcaptcha"></div>',
    ),
    Kind.FRIENDLY_CAPTCHA: WidgetMarkup(
        "FCMG5A2DB0C5E7E1",
        '<script src="https://cdn.jsdelivr.net/npm/friendly-challenge@0.9.18/widget.min.js" '
        "async defer></script>",
        '<div class="frc-captcha" data-sitekey="$key" data-callback="passed"></div>',
    ),
    Kind.YANDEX_SMARTCAPTCHA: WidgetMarkup(
        "ysc1_5a4dB0c5E7e1D0f34C9b2A8876d1E0f3a5b6c7d8",
        '<script src="https://smartcaptcha.yandexcloud.net/captcha.js" defer></script>',
        '<div class="smart-captcha" data-sitekey="$key" data-callback="passed"></div>',
    ),
    Kind.IMAGE: WidgetMarkup(
        "",
        "",
        '<img src="$picture" alt="captcha" width="160" height="60">\n'
        '<label>Characters in the picture: <input type="text" name="captcha" autocomplete="off">'
        "</label>",
    ),
}
