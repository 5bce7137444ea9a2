"""Captcha handling for Scrapy."""
