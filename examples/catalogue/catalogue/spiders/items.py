import scrapy


class ItemsSpider(scrapy.Spider):
    name = "items"
    site = "http://127.0.0.1:8001"
    allowed_domains = ["127.0.0.1"]

    async def start(self):
        yield scrapy.Request(self.site)

    def parse(self, response):
        yield from response.follow_all(css="li a", callback=self.parse_item)

    def parse_item(self, response):
        yield {"title": response.css("h1::text").get(), "price": response.css(".price::text").get()}
