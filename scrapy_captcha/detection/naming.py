"""Whether what a page says to its readers names a captcha with a picture, in several languages."""

from __future__ import annotations

import re

# Words that mean nothing but a captcha, and the question whether the reader is a robot.
_CAPTCHA = re.compile(
    r"captcha|капч|каптч|キャプチャ|画像認証|캡차|캡챠|보안\s?문자|자동\s?(?:입력|등록)|图形验证|圖形驗證"
    r"|人机验证|人機驗證|安全验证|安全驗證|كابتشا|کپچا|anti-?(?:bot|robot|spam)"
    r"|\brobots?\b|\bbots?\b|roboter|\brobô|\brobotti|робот|机器人|機器人|ロボット|로봇|روبوت|ربات"
    r"|רובוט|โรบอท|หุ่นยนต์|\bhuman\b|\bmensch\b|\bhumain|\bhumano|\bumano|человек|людин|человік|człowiek"
    r"|\bčlověk|真人|人間",
    re.IGNORECASE,
)
# Codes, which are printed on cards and sent by mail as well.
_CODE = re.compile(
    r"(?:security|verification|access|confirmation|validation|check) ?code|code de (?:"
    r"s[ée]curit[ée]|v[ée]rification|validation)|(?:sicherheits|bestätigungs|prüf|zugangs)code"
    r"|c[óo]digo|codice|(?:beveiligings|verificatie|controle)code"  # codespell:ignore
    r"|\bkod|\bkód|\bcod(?:ul)?\b"
    r"|\bkode|\bkoodi|(?:säkerhets|sikkerheds|sikkerhets)kod|turvakoodi|\bkodu|код|κωδικ|\bmã\b"
    r"|验证码|驗證碼|校验码|認証コード|確認コード|コード|인증|코드|رمز|کد|קוד|รหัส|\bcode\b",
    re.IGNORECASE,
)
_CHARACTERS = re.compile(
    r"characters|letters|digits|numbers|symbols|\btext\b|zeichen|buchstaben|ziffern|caract[èeé]r"
    r"|lettres|chiffres|letras|n[úu]meros|caratteri|lettere|tekens|znaki|litery|znaky|karakter"
    r"|символ|букв|цифр|χαρακτήρ|tecken|tegn|merkit|文字|字符|数字|문자|숫자|الأحرف|الحروف|ký tự"
    r"|ตัวอักษร",
    re.IGNORECASE,
)
_PICTURE = re.compile(
    r"image|picture|\bbild|abbildung|imagen|immagine|imagem|figura|afbeelding|plaatje|obraz|obráz"
    r"|картинк|изображ|рисунк|зображ|малюнк|resim|görsel|\bkép|imagin|εικόν"  # codespell:ignore
    r"|billede|\bbilde|\bkuva"
    r"|gambar|\bhình|画像|图片|圖片|图中|圖中|이미지|그림|صورة|الصورة|تصویر|תמונה|ภาพ"
    r"|you see|shown (?:above|below|here)|displayed|as shown",
    re.IGNORECASE,
)
# What the heading of a page with nothing but a picture and a field may say.
_CHECK = re.compile(
    r"(?:(?:security|access|visitor|user|identity|request|browser) )?"
    r"(?:verification|check|checking|validation)|(?:please )?(?:verify|confirm)(?: yourself)?"
    r"|(?:sicherheits)?(?:überprüfung|prüfung)|vérification(?: de sécurité)?"
    r"|verificación(?: de seguridad)?|verifica(?: di sicurezza)?|verificação(?: de segurança)?"
    r"|(?:veiligheids)?controle|weryfikacja|ověření|doğrulama"  # codespell:ignore
    r"|проверка(?: безопасности)?"
    r"|перевірка|验证|驗證|校验|認証|인증",
    re.IGNORECASE,
)
# Where such codes come from otherwise.
_SENT = re.compile(
    r"\bsms\b|смс|短信|手机|手機|\bphone|mobile|telefon|téléphone|teléfono|телефон|휴대|authenticat"
    r"|\bapps?\b|\bqr\b|\bsent\b|gesendet|geschickt|envoyé|enviad|inviat|отправ|выслан|发送|送信"
    r"|e-?mail|correo|почт|邮箱|郵箱|メール|gift|coupon|gutschein|voucher|promo|\bcard\b|\bkarte\b"
    r"|tarjeta|password|passwort|mot de passe|contraseña|пароль|\btrack",  # codespell:ignore
    re.IGNORECASE,
)


def names_captcha(text: str, *, drawn: bool) -> bool:
    """Whether *text* names a captcha; a code counts beside a picture that a program has *drawn*."""
    if _CAPTCHA.search(text):
        return True
    if _SENT.search(text):
        return False
    code = _CODE.search(text) is not None
    asked = code or _CHARACTERS.search(text) is not None
    return (code and drawn) or (asked and _PICTURE.search(text) is not None)


def names_check(text: str) -> bool:
    """Whether *text* says nothing but that something is checked, as a wall may."""
    return _CHECK.fullmatch(text.strip(" .!:…")) is not None
