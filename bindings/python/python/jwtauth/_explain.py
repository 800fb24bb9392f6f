"""The steps of an explanation, as ``Explanation.steps`` returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from jwtauth._jwtauth import Stage


class _Seen(TypedDict):
    type: Literal["string", "number", "boolean", "list", "object", "null", "absent"]


class Seen(_Seen, total=False):
    """What a check saw of the request or the token: its ``type``; the ``count`` of elements or members; the ``length`` in
    bytes; for a time, its distance from the time of the decision ``now`` in ``seconds``. With ``show_values``, the
    ``value``."""

    count: int
    length: int
    seconds: int
    now: int
    value: Any


class _ExplainedStep(TypedDict):
    stage: Stage
    check: str
    outcome: Literal["passed", "failed", "not_applicable", "not_reached"]
    text: str


class ExplainedStep(_ExplainedStep, total=False):
    """One check of a decision: its ``stage``, its stable name (``check``), how it ended (``outcome``), and one sentence for
    people (``text``). If it is configured, the ``place`` in the configuration, and what is ``configured`` there. If it read
    something, what it saw (``seen``)."""

    place: str
    configured: Any
    seen: Seen


for _class in (Seen, ExplainedStep):
    _class.__module__ = "jwtauth"
del _class
