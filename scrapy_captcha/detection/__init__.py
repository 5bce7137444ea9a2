"""Detection: is this page a captcha instead of the content, a wall, or a page with a captcha?"""

from scrapy_captcha.detection.detect import detect
from scrapy_captcha.detection.page import HtmlPage, Page
from scrapy_captcha.detection.verdict import Detection, Verdict

__all__ = ["Detection", "HtmlPage", "Page", "Verdict", "detect"]
