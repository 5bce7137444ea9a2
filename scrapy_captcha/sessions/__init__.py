"""Sessions: the identity of the crawl at a site, and the page that solves for the others."""
