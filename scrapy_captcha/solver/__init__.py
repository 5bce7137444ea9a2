"""Buying one solution over HTTP; nothing here knows Scrapy."""
