"""Labels of saved pages: the lines of a manifest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CLASSES = ("challenge", "block", "widget", "negative")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


# What a label may say besides, and how it is written.
_SHAPES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("kind", "inner", "solve", "url", "source_repo"), (_is_text, "a string")),
    "status": (lambda value: type(value) is int, "a number such as 403"),
    "sitekeys": (
        lambda value: isinstance(value, list) and all(map(_is_text, value)),
        "a list of strings",
    ),
    "headers": (
        lambda value: isinstance(value, dict) and all(map(_is_text, value.values())),
        "an object of strings",
    ),
}


@dataclass(frozen=True, slots=True)
class Label:
    """The label of a saved page: a line of a manifest, its words as there.

    * *file*: where the page is saved, relative to the manifest
    * *page_class*: one of `CLASSES` (``class`` in the manifest)
    * *kind*, *inner*: the captcha, and what it asks for itself; "none" or None where not known
    * *solve*: ``captcha`` where a person or a service could answer, ``js`` for a browser check
    * *site_keys*: each one that the page shows (``sitekeys`` in the manifest)
    * *url*, *status*, *headers*: None if unknown
    * *source*: of pages without a URL, what they were collected from (``source_repo``)
    """

    file: str
    page_class: str
    kind: str | None = None
    inner: str | None = None
    solve: str | None = None
    site_keys: tuple[str, ...] = ()
    url: str | None = None
    status: int | None = None
    headers: Mapping[str, str] | None = None
    source: str | None = None

    @classmethod
    def from_json(cls, line: str) -> Label:
        """The label on *line*; raises ValueError where it is none."""
        try:
            entry = json.loads(line)
        except RecursionError:
            entry = None
        if not isinstance(entry, dict) or not isinstance(entry.get("file"), str):
            raise ValueError('a label is a JSON object with a "file"')
        if entry.get("class") not in CLASSES:
            raise ValueError(f'"class" is {entry.get("class")!r}, none of {", ".join(CLASSES)}')
        for name, (is_sound, words) in _SHAPES.items():
            if entry.get(name) is not None and not is_sound(entry[name]):
                raise ValueError(f'"{name}" is {entry[name]!r}: write {words}')
        same: dict[str, Any] = {
            name: entry.get(name)
            for name in ("file", "kind", "inner", "solve", "url", "status", "headers")
        }
        keys = tuple(entry.get("sitekeys") or ())
        return cls(
            page_class=entry["class"], site_keys=keys, source=entry.get("source_repo"), **same
        )
