"""Walls that are known by name: one row per mechanism of a vendor.

A row names where in a page its text stands. Every text belongs to the machinery of the wall itself
(the address of its script, a name in its code, its form), never to the wording for readers, which
site owners change and articles quote.
"""

from __future__ import annotations

from dataclasses import dataclass

from scrapy_captcha.models import Kind


@dataclass(frozen=True, slots=True)
class Wall:
    """One way to recognise a wall: *text* (and *also* in the same string) stands in *place*.

    * *long* walls may hold as much text as content does; all others are short pages
    * *bare* walls show neither text nor links nor forms: content carries the same text
    * *kind*: what services call the captcha that the wall shows; None where it shows none
    """

    name: str
    place: str
    text: str
    also: str = ""
    long: bool = False
    bare: bool = False
    kind: Kind | None = None

    @property
    def in_markup(self) -> bool:
        """Whether the first word of *text* stands in the page as it is written here."""
        return not self.place.startswith(("header ", "json ", "url"))

    @property
    def words(self) -> str:
        """The row in words."""
        texts = " and ".join(filter(None, (self.text.strip(), self.also.strip())))
        return f"wall of {self.name}: {texts} in {self.place}"


# Cloudflare's error pages that refuse a visitor; its others report a broken site.
_CLOUDFLARE_BANS = ["1005", "1006", "1007", "1008", "1009", "1010", "1012", "1015", "1020"]

# Where sites send visitors whom they suspect, whatever the page there holds.
_ADDRESSES = (
    ("alibaba", "/_____tmd_____/punish", ""),
    ("baidu", "//wappass.baidu.com/static/captcha/", ""),
    ("douban", "//sec.douban.com/", ""),
    ("ebay", "/splashui/captcha", ".ebay."),
    ("ebay", "/splashui/challenge", ".ebay."),
    ("google_sorry", ".google.com/sorry/", ""),
    ("jd", ".jd.com/privatedomain/risk_handler/", ""),
    ("lianjia", "//hip.lianjia.com/", ""),
    ("linkedin", ".linkedin.com/authwall?", ""),
    ("meituan", "//verify.meituan.com/", ""),
    ("mercadolibre", "/gz/account-verification", ".mercadoli"),
    ("radware", "//validate.perfdrive.com/", ""),
    ("shein", "/risk/challenge?", ".shein."),
    ("shopee", "/verify/traffic", "//shopee."),
    ("sogou", ".sogou.com/antispider/", ""),
    ("temu", "/bgn_verification.html", ".temu.com/"),
    ("tianyancha", "//antirobot.tianyancha.com/", ""),
    ("vk", "/challenge.html?hash429=", "//vk."),
    ("wuba", ".58.com/antibot/", ""),
    ("yandex", "/showcaptcha?", "retpath="),
    ("zhihu", ".zhihu.com/account/unhuman", ""),
)

_CLOUDFLARE = Kind.CLOUDFLARE_CHALLENGE

# Rows that show a captcha come before rows of the same vendor that show none.
WALLS = (
    Wall("cloudflare", "options", "_cf_chl_opt", "cType managed ", long=True, kind=_CLOUDFLARE),
    Wall("cloudflare", "options", "_cf_chl_opt", "cType interactive ", long=True, kind=_CLOUDFLARE),
    Wall("cloudflare", "form", "__cf_chl_captcha_tk__", long=True, kind=_CLOUDFLARE),
    Wall("cloudflare", "form", "/cdn-cgi/l/chk_captcha", long=True, kind=_CLOUDFLARE),
    Wall("cloudflare", "header cf-mitigated", "challenge", long=True),
    Wall("cloudflare", "script", "_cf_chl_opt", "cType", long=True),
    Wall("cloudflare", "script", "_cf_chl_opt", "cvId", long=True),
    Wall("cloudflare", "form", "/cdn-cgi/l/chk_jschl", long=True),
    Wall("cloudflare", "form id", "challenge-form ", "__cf_chl_", long=True),
    *(Wall("cloudflare_ban", "error", "cf-error-details", code) for code in _CLOUDFLARE_BANS),
    Wall("cloudflare_ban", "headline", "cf-error-details", "block_headline"),
    Wall("datadome", "options", ".captcha-delivery.com", "t bv "),
    Wall("datadome", "json url", ".captcha-delivery.com/", "t=bv"),
    Wall("datadome", "options", ".captcha-delivery.com", "rt c ", kind=Kind.DATADOME),
    Wall("datadome", "json url", ".captcha-delivery.com/captcha/", kind=Kind.DATADOME),
    Wall("datadome", "json url", ".captcha-delivery.com/"),
    Wall("datadome", "script url", "ct.captcha-delivery.com/"),
    Wall("datadome", "frame", "geo.captcha-delivery.com/"),
    Wall("datadome", "script url", "ct.datado.me/"),
    Wall("perimeterx", "element", " px-captcha ", kind=Kind.PERIMETERX),
    Wall("perimeterx", "script", "captcha.js?a=c", "_pxUuid", kind=Kind.PERIMETERX),
    Wall("perimeterx", "script", "_pxCaptcha", "px_uuid", kind=Kind.PERIMETERX),
    Wall("perimeterx", "json blockScript", "/captcha.js?a=c", kind=Kind.PERIMETERX),
    Wall("perimeterx", "script", "_pxUuid", "_pxAppId"),
    Wall("amazon_waf", "header x-amzn-waf-action", "captcha", long=True, kind=Kind.AMAZON_WAF),
    Wall("amazon_waf_silent", "header x-amzn-waf-action", "challenge", long=True),
    Wall("amazon_waf", "script url", ".captcha.awswaf.com/", "/captcha.js", kind=Kind.AMAZON_WAF),
    Wall("amazon_waf", "script", "gokuProps", ".renderCaptcha(", kind=Kind.AMAZON_WAF),
    Wall("amazon_waf_silent", "script", "gokuProps"),
    Wall("amazon_waf_silent", "script", "AwsWafIntegration.", "location.reload("),
    Wall("amazon", "form", "/validateCaptcha", "/errors"),
    Wall("google_sorry", "form id", "captcha-form index "),
    Wall("google_challenge", "script", "RecaptchaChallengePageUi", "ppConfig"),
    Wall("yandex", "form", "/checkcaptcha?", "retpath=", kind=Kind.YANDEX_SMARTCAPTCHA),
    Wall("duckduckgo", "form id", "challenge-form //duckduckgo.com/anomaly.js"),
    Wall("bing", "script", "CloudflareHandleCaptcha"),
    Wall("imperva", "frame", "/_Incapsula_Resource", "SWUDNSAI=", kind=Kind.IMPERVA),
    Wall("imperva", "frame", "/_Incapsula_Resource", "CWUDNSAI="),
    Wall("imperva", "script", "reeseSkipExpirationCheck"),
    Wall("imperva", "script", "onProtectionInitialized"),
    Wall("distil", "form id", "distilCaptchaForm"),
    Wall("distil", "form id", "distilUnblockForm"),
    Wall("distil", "refresh", "distil_r_"),
    Wall("akamai", "script url", "/_sec/cp_challenge/"),
    Wall("akamai", "script", "bm-verify", "/_sec/verify"),
    Wall("akamai", "element", "sec-if-cpt-container"),
    Wall("kasada", "script", "KPSDK.start="),
    Wall("kasada", "script", "KPSDK.scriptStart"),
    Wall("radware", "script", "sbbvscc"),
    Wall("radware", "script url", "captcha.perfdrive.com/"),
    Wall("radware", "stylesheet", "captcha.perfdrive.com/"),
    Wall("sucuri", "script", "sucuri_cloudproxy_js"),
    Wall("sucuri", "stylesheet", "cdn.sucuri.net/sucuri-firewall-block"),
    Wall("siteground", "header sg-captcha", "challenge", long=True),
    Wall("siteground", "refresh", "/.well-known/sgcaptcha/"),
    Wall("siteground", "script", "/.well-known/sgcaptcha/"),
    Wall("anubis", "element", "anubis_challenge"),
    Wall("anubis", "script url", "/.within.website/x/cmd/anubis/"),
    Wall("go_away", "refresh", "/.well-known/.git.gammaspectra.live/"),
    Wall("go_away", "stylesheet", "/.well-known/.git.gammaspectra.live/"),
    Wall("go_away", "script url", "/.well-known/.git.gammaspectra.live/"),
    Wall("powxy", "script url", "/.powxy/"),
    Wall("bot_challenge_page", "element", " bot_challenge_page ", long=True),
    Wall("bunkerweb", "link", "utm_source=bwantibot"),
    Wall("crowdsec", "hidden field", "crowdsec_captcha"),
    Wall("turnstile_protect", "form id", "turnstile-protect-challenge-form ", long=True),
    Wall("basedflare", "script url", "/.basedflare/"),
    Wall("balooproxy", "script", "__bProxy_v="),
    Wall("vercel", "header x-vercel-mitigated", "challenge", long=True),
    Wall("vercel", "script url", "/.well-known/vercel/security/"),
    Wall("fastly", "stylesheet", "/_fs-ch-"),
    Wall("fastly", "script url", "/_fs-ch-", bare=True),
    Wall("ddos_guard", "script url", "/.well-known/ddos-guard/js-challenge/"),
    Wall("ddos_guard", "script url", "check.ddos-guard.net/check.js"),
    Wall("qrator", "script url", "/__qrator/"),
    Wall("servicepipe", "script", "get_cookie_spid"),
    Wall("arvan", "script", "__arcsjs", "eval("),
    Wall("azure", "script url", "/.azwaf/"),
    Wall("bunny", "header cdn-challenge", "true", long=True),
    Wall("bunny", "script url", "/.bunny-shield/assets/shield-challenge"),
    Wall("ubika", "script url", "/.well-known/ubika/"),
    Wall("f5", "script", "bobcmd"),
    Wall("f5", "script", "bobcmn"),
    Wall("reblaze", "script", "rbzns", "winsocks"),
    Wall("imunify360", "form id", "wsidchk-form"),
    Wall("imunify360", "script", "wsidchk"),
    Wall("testcookie", "script", "slowAES.decrypt", "document.cookie"),
    Wall("beget", "script", "beget=begetok", bare=True),
    Wall("alibaba", "script", "initAliyunCaptcha", "_waf_", kind=Kind.ALIYUN_WAF),
    Wall("alibaba", "script", "acw_sc__v2", "arg1"),
    Wall("alibaba", "script", "/_____tmd_____/punish?x5"),
    Wall("alibaba", "json data.url", "/_____tmd_____/punish"),
    Wall("alibaba", "element", "aliyun_waf_"),
    Wall("tencent", "script url", "/C2WF946J0/"),
    Wall("tencent", "script", "/501page.html", "waf.tencent"),
    Wall("tencent_edgeone", "script", "EO_Bot_Ssid", "__tst_status"),
    Wall("baidu", "script url", "wappass.baidu.com/static/captcha"),
    Wall("baidu", "script url", "/static/touch/js/mkdjump"),
    Wall("bytedance", "element", "_wafchallengeid"),
    Wall("bytedance", "script", "_wafchallengeid"),
    Wall("bytedance", "script url", "/waf-jschallenge/"),
    Wall("bytedance", "script", "TTGCaptcha.render(", "verify_data"),
    Wall("qihoo", "script url", "/wzws-waf-cgi/"),
    Wall("safeline", "element", "slg-box"),
    Wall("safeline", "script url", "/.safeline/challenge/"),
    Wall("safeline", "script url", "challenge.rivers.chaitin.cn/"),
    Wall("baota", "script url", "/renji_"),
    Wall("baota", "script url", "/huadong_"),
    Wall("baota", "script", "/get_btwaf_captcha_base64"),
    Wall("cdndefend", "script", "cdndefend_js_cookie"),
    Wall("cdnfly", "script url", "/_guard/auto.js", bare=True),
    Wall("cdnfly", "script url", "/_guard/html.js", bare=True),
    Wall("yunsuo", "script", "security_verify_", "srcurl="),
    Wall("jiasule", "script", "('_')+('_')+('j')+('s')+('l')"),
    Wall("jiasule", "script", "__jsl_clearance", '"bts"'),
    Wall("ruishu", "script", "$_ts", "window['$_ts']", bare=True),
    Wall("weibo", "script", "passport.weibo.com/visitor", "incarnate"),
    Wall("weibo", "script url", "/visitor/mini_original.js"),
    Wall("kissanime", "form", "/Special/AreYouHuman"),
    Wall("linkedin", "script", "/authwall?trk=", bare=True),
    Wall("avito", "element", "js-firewall-form"),
    Wall("douban", "form", "/misc/sorry"),
    Wall("ozon", "script url", "/abt-challenge/"),
    Wall("reddit", "hidden field", "js_challenge"),
    Wall("shopify", "element", "shopify-challenge__container", long=True),
    Wall("wildberries", "script url", "/__wbaas/challenges/antibot/"),
    Wall("zhihu", "element", "zh-zse-ck"),
    *(Wall(name, "url", text, also, long=True) for name, text, also in _ADDRESSES),
)
