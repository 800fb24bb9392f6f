"""How key sources are: what ``policy`` and ``refresh_keys`` say of each."""

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
    """The last failure of a fetch: its ``phase``, ``reason`` and ``status`` if there was one, how many bytes of the
    body were read, and its age in seconds."""

    status: int


class _SourceStatus(TypedDict):
    source: str
    state: Literal["fixed", "unfetched", "fresh", "stale", "expired"]
    keys: int
    kids: list[str]


class SourceStatus(_SourceStatus, total=False):
    """A key source as it is now: its place in the policy, its state, how many keys can be used, and their names.

    Of a source that fetches its keys there is more: where from, how old they are and when newer ones are looked for,
    in seconds, the last failure, and how often it was asked, failed, served old keys, and was asked for a key that it
    does not have. Neither a URL's query nor credentials are part of it.
    """

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


for _class in (LastFailure, SourceStatus):
    _class.__module__ = "jwtauth"
del _class
