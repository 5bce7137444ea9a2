"""The ``CAPTCHA_…`` settings, and what a request or a spider says instead of them."""
