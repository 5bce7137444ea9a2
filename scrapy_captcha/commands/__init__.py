"""``scrapy captcha …``: one module for each sub-command, with a function ``run``."""
