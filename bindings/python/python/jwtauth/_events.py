"""The events of a verifier, and a function that logs them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict

if TYPE_CHECKING:
    from jwtauth._fetch import FetchPhase
    from jwtauth._jwtauth import Code, Stage


class _DecisionEvent(TypedDict):
    event: Literal["decision"]
    level: Literal["debug", "info", "warning", "error"]
    outcome: Literal["granted", "denied", "unavailable"]
    from_cache: bool
    explained: bool
    duration_ns: int


class DecisionEvent(_DecisionEvent, total=False):
    """A decision: its ``outcome``; whether the token cache remembered it (``from_cache``); whether it was ``explained``; how long
    it took. The ``level`` is ``debug`` for a grant, ``warning`` for a denial, and ``error`` for a request without a decision.

    ``code`` and ``stage`` if it is not a grant. ``profile`` if it is known and has a name. ``kid`` and ``source`` of the key
    that verified the token, unless the grant was remembered. Neither a token nor the value of a claim."""

    code: Code
    stage: Stage
    profile: str
    kid: str
    source: str


class _FetchEvent(TypedDict):
    event: Literal["fetch"]
    level: Literal["debug", "info", "warning", "error"]
    outcome: Literal["fetched", "failed"]
    source: str
    duration_ns: int


class FetchEvent(_FetchEvent, total=False):
    """A fetch of the keys of one ``source``: its ``level``, which is ``info``, or ``warning`` if it failed, and how long it took.
    The number of usable ``keys``; or the ``code``, the ``phase`` and the HTTP ``status``, if the server sent one."""

    keys: int
    code: Code
    phase: FetchPhase
    status: int


Event: TypeAlias = DecisionEvent | FetchEvent
"""An event; ``event["event"]`` tells which one."""


class SourceCounters(TypedDict):
    """The number of fetches and of failed fetches of a key source."""

    source: str
    fetches: int
    failures: int


class Counters(TypedDict):
    """What a verifier has done since it was built. A code that never occurred is left out."""

    granted: int
    denied: dict[Code, int]
    unavailable: dict[Code, int]
    token_cache_hits: int
    sources: list[SourceCounters]


def log_events(logger: logging.Logger | None = None) -> Callable[[Event], None]:
    """A function for ``on_event`` that logs each event.

    The level is that of the event. The record has the event as ``record.jwtauth``, for structured logs.

    Args:
        logger: The logger; without one, the logger ``jwtauth``.

    Example:
        >>> verifier = Verifier(config, on_event=log_events())
    """
    target = logging.getLogger("jwtauth") if logger is None else logger

    def log(event: Event) -> None:
        level = _LEVELS[event["level"]]
        if target.isEnabledFor(level):
            target.log(level, "%s", _sentence(event), extra={"jwtauth": event})

    return log


def _sentence(event: Event) -> str:
    parts: list[str] = [event["event"], event["outcome"]]
    if "code" in event:
        parts.append(event["code"])
    if event["event"] == "fetch":
        if "phase" in event:
            parts.append(f"phase={event['phase']}")
        if "status" in event:
            parts.append(f"status={event['status']}")
        if "keys" in event:
            parts.append(f"keys={event['keys']}")
    else:
        if "profile" in event:
            parts.append(f"profile={event['profile']}")
        if "kid" in event:
            parts.append(f"kid={event['kid']}")
        if event["from_cache"]:
            parts.append("from_cache")
        if event["explained"]:
            parts.append("explained")
    if "source" in event:
        parts.append(f"source={event['source']}")
    parts.append(f"duration={event['duration_ns'] / 1e6:.3f}ms")
    return " ".join(parts)


_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

for _class in (DecisionEvent, FetchEvent, SourceCounters, Counters):
    _class.__module__ = "jwtauth"
log_events.__module__ = "jwtauth"
del _class
