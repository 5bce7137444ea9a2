"""As what a site sees the crawl, and which page solves for which others."""
