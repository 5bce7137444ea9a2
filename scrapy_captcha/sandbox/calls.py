"""The calls that the local solver has received."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .tasks import JsonObject


@dataclass(slots=True)
class ReceivedCall:
    """A call as it came in.

    * *at*: monotonic seconds
    * *payload*: without the key; None when the body was no JSON object
    * *authorized*: whether the key was right, None without a key
    * *task_id*, *url*: of the task that the call is about, None and "" when there is none
    * *status*: of the answer, None when none was sent
    """

    method: str
    at: float
    payload: JsonObject | None
    headers: Mapping[str, str]
    authorized: bool | None
    task_id: int | str | None = None
    url: str = ""
    status: int | None = None
