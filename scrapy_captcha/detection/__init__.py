"""Detection: is this page a captcha instead of the content, a wall, or a page with a captcha?"""

from scrapy_captcha.detection.declared import Declared, answered_in, contained
from scrapy_captcha.detection.detect import MAX_SIZE, detect, judge
from scrapy_captcha.detection.detectors import DETECTORS, Detector
from scrapy_captcha.detection.document import Document
from scrapy_captcha.detection.markers import suspicious
from scrapy_captcha.detection.page import HtmlPage, Page
from scrapy_captcha.detection.steps import TooManyStepsError
from scrapy_captcha.detection.verdict import Detection, Verdict

__all__ = [
    "DETECTORS",
    "MAX_SIZE",
    "Declared",
    "Detection",
    "Detector",
    "Document",
    "HtmlPage",
    "Page",
    "TooManyStepsError",
    "Verdict",
    "answered_in",
    "contained",
    "detect",
    "judge",
    "suspicious",
]
