"""The report on a crawl's captchas: one HTML file that needs no network and no script."""

from __future__ import annotations

from html import escape as escaped
from typing import TYPE_CHECKING

from scrapy_captcha.money import shown
from scrapy_captcha.reporting.charts import curve, shares
from scrapy_captcha.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scrapy_captcha.purchases import Purchase
    from scrapy_captcha.reporting.figures import Figures, Row

_LONGEST = 120  # characters of a URL
_STYLE = """
:root { color-scheme: light dark; --line: #8886; --accent: #2563eb; --soft: #8882; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2.5rem; }
dl { display: flex; flex-wrap: wrap; gap: 1rem; padding: 0; }
dl div { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem 1rem; }
dl div { min-width: 6rem; }
dt { font-size: .8rem; opacity: .7; } dd { margin: 0; font-size: 1.4rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .5rem; text-align: right; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; }
th:first-child, td:first-child { min-width: 8rem; }
th { font-size: .8rem; font-weight: 600; opacity: .7; }
.scroll { overflow-x: auto; } svg { display: block; width: 100%; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 2rem; }
.accepted { fill: #16a34a; } .rejected { fill: #dc2626; } .expired { fill: #d97706; }
.unused { fill: #94a3b8; } .failed { fill: #7c3aed; }
.key span::before { content: "■ "; } .key span { margin-right: 1rem; }
.key .accepted { color: #16a34a; } .key .rejected { color: #dc2626; }
.key .expired { color: #d97706; } .key .unused { color: #94a3b8; } .key .failed { color: #7c3aed; }
footer { margin: 3rem 0 1rem; font-size: .8rem; opacity: .7; }
"""
FATES = ("accepted", "rejected", "expired", "unused", "failed")
_HEADS = ("outcome", "met", "bought", "solved", *FATES, "spent", "per accepted", "seconds each")


def report(books: Figures, *, title: str, written: str) -> str:
    """The page on *books*; *title* is in its head, *written*, a date, in its foot.

    Any text in *books* may come from hostile pages.
    """
    sections = [
        f"<h1>Captchas of {_text(title)}</h1>",
        _figures(books.total()),
        _charts(books),
        '<p class="key">' + "".join(f'<span class="{f}">{f}</span>' for f in FATES) + "</p>",
        *(_outcome(what, books.by(what)) for what in ("site", "provider", "kind", "proxy")),
        _rates(books),
        _purchases("The slowest", books.slowest),
        _purchases("The dearest", books.dearest),
        _dropped(books),
        f"<footer>{_text(written)}. Money is in the account's currency.</footer>",
    ]
    return _HEAD.format(title=_text(title), style=_STYLE) + "\n".join(filter(None, sections))


_HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Captchas of {title}</title>
<style>{style}</style>
"""


def _figures(total: Row) -> str:
    figures = {
        "met": total.met,
        "bought": total.bought,
        "accepted": total.accepted,
        "rejected": total.rejected,
        "spent": shown(total.money),
        "per accepted": _price(total.per_accepted),
    }
    tiles = (f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in figures.items())
    return f"<dl>{''.join(tiles)}</dl>"


def _charts(books: Figures) -> str:
    spent = curve(books.spent.points, "spent over time", shown)
    waiting = curve(books.waiting.points, "pages waiting over time", str)
    return f'<div class="charts">{spent}{waiting}</div>' if spent or waiting else ""


def _outcome(what: str, rows: dict[str, Row]) -> str:
    rows = {name: row for name, row in rows.items() if name}
    if not rows:
        return ""
    cells = ([_text(name), *_cells(row)] for name, row in rows.items())
    return f"<h2>By {what}</h2>" + _table((what, *_HEADS), cells)


def _cells(row: Row) -> list[str]:
    counts = {name: getattr(row, name) for name in FATES}
    return [
        shares(counts),
        *(str(n) for n in (row.met, row.bought, row.solved, *counts.values())),
        shown(row.money),
        _price(row.per_accepted),
        f"{row.seconds / row.solved:.1f}" if row.solved else "-",
    ]


def _rates(books: Figures) -> str:
    rows = [
        (_text(site), _text(proxy), str(pages), str(met), f"{met / pages:.0%}")
        for (site, proxy), (met, pages) in books.rates().items()
        if proxy and pages
    ]
    heads = ("site", "proxy", "pages fetched", "captchas", "rate")
    return "<h2>Captchas by proxy</h2>" + _table(heads, rows) if rows else ""


def _purchases(title: str, purchases: Sequence[Purchase]) -> str:
    rows = [
        (
            _text(_cut(p.url)),
            _text(p.need.kind.value),
            f"{p.seconds:.1f}",
            shown(p.price),
            str(p.attempts),
            p.fate.value if p.fate else "-",
        )
        for p in purchases
    ]
    heads = ("page", "kind", "seconds", "price", "attempt", "outcome")
    return f"<h2>{title}</h2>" + _table(heads, rows) if rows else ""


def _dropped(books: Figures) -> str:
    rows = [
        (_text(site), _text(reason), str(number))
        for site, reasons in sorted(books.dropped.items())
        for reason, number in sorted(reasons.items())
    ]
    return "<h2>Dropped</h2>" + _table(("site", "reason", "pages"), rows) if rows else ""


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def _price(value: int | None) -> str:
    return "-" if value is None else shown(value)


def _cut(url: str) -> str:
    return url if len(url) <= _LONGEST else url[: _LONGEST - 1] + "…"


def _text(words: str) -> str:
    return escaped(printable(words))
