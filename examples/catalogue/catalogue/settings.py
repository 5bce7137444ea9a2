BOT_NAME = "catalogue"
SPIDER_MODULES = ["catalogue.spiders"]

ADDONS = {"scrapy_captcha.Addon": 500}

CAPTCHA_API_URL = "http://127.0.0.1:8000"
CAPTCHA_SCOPE = "page"
CAPTCHA_BUDGET = 1.00
CAPTCHA_PRICES = {"recaptcha_v2": 0.002}
