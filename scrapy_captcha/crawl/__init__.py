"""One request, from its captcha to its callback."""
