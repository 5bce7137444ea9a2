"""The ``CAPTCHA_…`` settings, and the options of requests and spiders in place of them."""
