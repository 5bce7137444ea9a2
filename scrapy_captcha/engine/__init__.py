"""What touches the engine of Scrapy: its scheduler, its signals and its duplicate filter."""
