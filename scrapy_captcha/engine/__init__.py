"""The parts that touch Scrapy's engine: its scheduler, its signals and its duplicate filter."""
