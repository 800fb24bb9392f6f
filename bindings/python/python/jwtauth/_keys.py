"""The status of key sources, as ``policy`` and ``refresh_keys`` return it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from jwtauth._fetch import FetchPhase


class _LastFailure(TypedDict):
    phase: FetchPhase
    reason: str
    bytes_read: int
    age: int


class LastFailure(_LastFailure, total=False):
    """The last failure of a fetch: its ``phase``, ``reason`` and ``status`` if there was one, the number of bytes of
    the body that were read, and its age in seconds."""

    status: int


class _SkippedKey(TypedDict):
    index: int
    reason: str


class SkippedKey(_SkippedKey, total=False):
    """A key that cannot be used: its position in the set from 0, its ``kid`` if it has one (at most 200 characters), and
    the reason."""

    kid: str


class _SourceStatus(TypedDict):
    source: str
    state: Literal["fixed", "unfetched", "fresh", "stale", "expired"]
    keys: int
    kids: list[str]


class SourceStatus(_SourceStatus, total=False):
    """The current status of a key source: its place in the configuration, its state, the number of usable keys and
    their kids. If there are keys that cannot be used, the first 16 are in ``skipped``, and ``skipped_count`` is their
    number.

    A remote source also has its URL, the age of its keys and the time until the next refresh (both in seconds), and the
    last failure. It counts fetches, failures, requests served with stale keys, and requests for an unknown ``kid``.
    ``warnings`` about fetched keys that are used, if there are any, each have ``rule``, ``key`` and ``message``. A URL's query and
    credentials are never included.
    """

    skipped: list[SkippedKey]
    skipped_count: int
    url: str
    jwks_uri: str
    age: int
    next_refresh: int
    failing: bool
    last_failure: LastFailure
    fetches: int
    failures: int
    served_stale: int
    unknown_kid: int
    warnings: list[dict[str, str]]


for _class in (LastFailure, SkippedKey, SourceStatus):
    _class.__module__ = "jwtauth"
del _class
