"""Gates written with Flask-WTF and flask-session-captcha.

``/<captcha>/<mode>/<shown>/item/<number>`` is a page behind one.
"""

import base64
import hashlib
import os
import time
from pathlib import Path

from cachelib.file import FileSystemCache
from flask import Flask, redirect, render_template_string, request, session
from flask_session import Session
from flask_session_captcha import FlaskSessionCaptcha
from flask_wtf import FlaskForm, RecaptchaField

HOME = Path(os.environ["HOME_OF_SITE"])
SECONDS = float(os.environ["SECONDS"])
PASSES = {"page": 1, "pages": int(os.environ["PAGES"])}

app = Flask(__name__)
app.config.update(
    CAPTCHA_HEIGHT=80,
    CAPTCHA_LENGTH=5,
    CAPTCHA_WIDTH=180,
    RECAPTCHA_PRIVATE_KEY="secret",
    RECAPTCHA_PUBLIC_KEY="6Lc0000000000000000000000000000000000000",
    RECAPTCHA_VERIFY_SERVER=f"{os.environ['SITEVERIFY']}/recaptcha",
    SECRET_KEY="not a secret",
    SESSION_CACHELIB=FileSystemCache(HOME / "sessions"),
    SESSION_TYPE="cachelib",
)
Session(app)
pictures = FlaskSessionCaptcha(app)

WTF = """<!DOCTYPE html><html lang="en"><head><title>One moment</title></head><body>
<h1>Please show that you are human</h1>
<form method="post">{{ form.csrf_token }}{{ form.recaptcha }}<input type="submit" value="Send"></form>
</body></html>"""
PICTURE = """<!DOCTYPE html><html lang="en"><head><title>One moment</title></head><body>
<h1>Please show that you are human</h1>
<form method="post">{{ picture }}<input type="text" name="captcha"><input type="submit"></form>
</body></html>"""
ITEM = """<!DOCTYPE html><html lang="en"><head><title>Item {{ number }}</title></head><body>
<h1>Item {{ number }}</h1>
<p>Item {{ number }} of the catalogue came to the museum by coach, wrapped in two newspapers, and
stood for {{ number }} years on a shelf before it was described. It is older than the house.</p>
</body></html>"""


class Recaptcha(FlaskForm):
    recaptcha = RecaptchaField()


def may_pass():
    if session.get("left", 0) < 1 or time.time() > session["until"]:
        return False
    session["left"] -= 1
    return True


def is_solved(captcha):
    if captcha == "wtf":
        return Recaptcha().validate_on_submit()
    return request.method == "POST" and pictures.validate()


def challenge(captcha):
    if captcha == "wtf":
        return render_template_string(WTF, form=Recaptcha())
    # What the package puts into the page, which also says what stands on it.
    picture = pictures.generate()
    encoded = picture.partition("base64,")[2].partition("'")[0]
    name = hashlib.sha256(base64.b64decode(encoded)).hexdigest()
    (HOME / name).write_text(pictures.get_answer())
    return render_template_string(PICTURE, picture=picture)


@app.route("/<captcha>/<mode>/<shown>/item/<int:number>", methods=["GET", "POST"])
def item(captcha, mode, shown, number):
    if request.method == "GET" and may_pass():
        return render_template_string(ITEM, number=number)
    if shown == "inline":
        return gate(captcha, mode, shown, number)
    session["wanted"] = request.path
    to = f"/{captcha}/{mode}/{shown}/captcha"
    return redirect(to if shown == "fixed" else f"{to}?next={request.path}")


@app.route("/<captcha>/<mode>/<shown>/captcha", methods=["GET", "POST"])
def gate(captcha, mode, shown, number=0):
    if not is_solved(captcha):
        return challenge(captcha)
    if mode != "page" or not number:
        session["left"] = PASSES.get(mode, 1_000_000) - bool(number)
        session["until"] = time.time() + (SECONDS if mode == "seconds" else 1_000_000)
    if number:
        return render_template_string(ITEM, number=number)
    return redirect(request.args.get("next", session.get("wanted")))


if __name__ == "__main__":
    # One request at a time, so that passes are counted exactly.
    app.run("127.0.0.1", int(os.environ["PORT"]), threaded=False)
