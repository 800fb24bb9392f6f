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


class _ExplainedPart(TypedDict):
    text: str
    outcome: str


class ExplainedPart(_ExplainedPart, total=False):
    """A part of a check: of an expression, or a place where a token was looked for. Its ``text``, what became of it
    (``outcome``), where it ``start``s in the configured text, how deep it is nested (``depth``), and what it gave
    (``seen``)."""

    start: int
    depth: int
    seen: Seen


class _ExplainedStep(TypedDict):
    stage: Stage
    check: str
    outcome: Literal["passed", "failed", "not_applicable", "not_reached"]
    text: str


class ExplainedStep(_ExplainedStep, total=False):
    """One check of a decision: its ``stage``, its stable name (``check``), how it ended (``outcome``), and one sentence for
    people (``text``). If it is configured, the ``place`` in the configuration, and what is ``configured`` there. If it read
    something, what it saw (``seen``). If it has ``parts``, what became of each.

    A step that is ``informative`` was made after the decision and has no part in it. An ``unverified`` one has read claims
    that no key has signed."""

    informative: bool
    unverified: bool
    place: str
    configured: Any
    seen: Seen
    parts: list[ExplainedPart]


class _Hint(TypedDict):
    name: str
    text: str


class Hint(_Hint, total=False):
    """What to change, for a failure that people meet often: its stable ``name``, one sentence for people (``text``), and often
    the ``place`` in the configuration."""

    place: str


for _class in (Seen, ExplainedPart, ExplainedStep, Hint):
    _class.__module__ = "jwtauth"
del _class
