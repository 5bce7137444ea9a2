"""Gates written with django-simple-captcha, django-recaptcha and django-turnstile.

``/<captcha>/<mode>/<shown>/item/<number>`` is a page behind one.
"""

import hashlib
import os
import time
from pathlib import Path
from urllib.request import urlopen

import django
from django import forms
from django.conf import settings
from django.core.management import call_command
from django.core.servers.basehttp import run
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template import engines
from django.urls import include, path

HOME = Path(os.environ["HOME_OF_SITE"])
SITEVERIFY = os.environ["SITEVERIFY"]
SECONDS = float(os.environ["SECONDS"])
PASSES = {"page": 1, "pages": int(os.environ["PAGES"])}

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": HOME / "database"}},
    INSTALLED_APPS=["django.contrib.sessions", "captcha", "django_recaptcha", "turnstile"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    RECAPTCHA_PRIVATE_KEY="secret",
    RECAPTCHA_PUBLIC_KEY="6Lc0000000000000000000000000000000000000",
    ROOT_URLCONF=__name__,
    SECRET_KEY="not a secret",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    TURNSTILE_SECRET="secret",
    TURNSTILE_SITEKEY="0x4AAAAAAA0000000000000",
    TURNSTILE_VERIFY_URL=f"{SITEVERIFY}/turnstile",
)
django.setup()

from captcha.fields import CaptchaField  # noqa: E402 - Django's settings come first
from captcha.models import CaptchaStore  # noqa: E402
from captcha.views import captcha_image  # noqa: E402
from django_recaptcha import client  # noqa: E402
from django_recaptcha.fields import ReCaptchaField  # noqa: E402
from django_recaptcha.widgets import ReCaptchaV2Invisible, ReCaptchaV3  # noqa: E402
from turnstile.fields import TurnstileField  # noqa: E402

GATE = """<!DOCTYPE html><html lang="en"><head><title>Are you human?</title></head><body>
<h1>Are you human?</h1>
<form method="post">{% csrf_token %}{{ form.as_p }}<button type="submit">Continue</button></form>
</body></html>"""
ITEM = """<!DOCTYPE html><html lang="en"><head><title>Item {{ number }}</title></head><body>
<h1>Item {{ number }}</h1>
<p>Item {{ number }} of the catalogue came to the museum by coach, wrapped in two newspapers, and
stood for {{ number }} years on a shelf before it was described. It is older than the house.</p>
</body></html>"""


def verify(params):
    """Asks the local server, where the package would ask Google's."""
    return urlopen(f"{SITEVERIFY}/recaptcha", params, timeout=10)  # noqa: S310


client.recaptcha_request = verify


class Simple(forms.Form):
    captcha = CaptchaField()


class Recaptcha(forms.Form):
    captcha = ReCaptchaField()


class Invisible(forms.Form):
    captcha = ReCaptchaField(widget=ReCaptchaV2Invisible)


class Scored(forms.Form):
    captcha = ReCaptchaField(widget=ReCaptchaV3(action="page"))


class Turnstile(forms.Form):
    turnstile = TurnstileField()


FORMS = {
    "simple": Simple,
    "recaptcha": Recaptcha,
    "invisible": Invisible,
    "v3": Scored,
    "turnstile": Turnstile,
}


def render(template, status=200, request=None, **context):
    page = engines["django"].from_string(template).render(context, request)
    return HttpResponse(page, status=status)


def may_pass(session):
    if session.get("left", 0) < 1 or time.time() > session["until"]:
        return False
    session["left"] -= 1
    return True


def item(request, captcha, mode, shown, number):
    if request.method == "GET" and may_pass(request.session):
        return render(ITEM, number=number)
    if shown == "inline":
        return gate(request, captcha, mode, shown, number)
    request.session["wanted"] = request.path
    to = f"/{captcha}/{mode}/{shown}/captcha"
    return redirect(to if shown == "fixed" else f"{to}?next={request.path}")


def gate(request, captcha, mode, shown, number=0):
    form = FORMS[captcha](request.POST or None)
    if not form.is_valid():
        return render(GATE, request=request, form=form)
    if number and mode == "page":
        return render(ITEM, number=number)
    request.session["left"] = PASSES.get(mode, 1_000_000)
    request.session["until"] = time.time() + (SECONDS if mode == "seconds" else 1_000_000)
    wanted = request.path if number else request.GET.get("next", request.session.get("wanted"))
    return redirect(wanted)


def picture(request, key, scale=1):
    """The package's, which also says what stands on it."""
    response = captcha_image(request, key, scale)
    name = hashlib.sha256(response.content).hexdigest()
    (HOME / name).write_text(CaptchaStore.objects.get(hashkey=key).challenge)
    return response


urlpatterns = [
    path("<captcha>/<mode>/<shown>/item/<int:number>", item),
    path("<captcha>/<mode>/<shown>/captcha", gate),
    path("captcha/image/<key>/", picture),
    path("captcha/", include("captcha.urls")),
]

if __name__ == "__main__":
    call_command("migrate", run_syncdb=True, verbosity=0)
    # One request at a time, so that passes are counted exactly.
    run("127.0.0.1", int(os.environ["PORT"]), django.core.wsgi.get_wsgi_application())
