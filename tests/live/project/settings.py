"""A project that is enabled as the README says; the command line has what differs between runs."""

ADDONS = {"scrapy_captcha.Addon": 500}
SPIDER_MODULES = ["pages"]
CAPTCHA_POLL_INTERVAL = 0.05
CLOSESPIDER_TIMEOUT = 120  # ends what would hang
TELNETCONSOLE_ENABLED = False
