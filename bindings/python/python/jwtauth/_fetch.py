"""How a program fetches keys with an HTTP client of its own: ``Verifier(config, fetch=...)``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

FetchPhase: TypeAlias = Literal["dns", "connect", "tls", "http", "parse"]
"""How far a fetch came."""


@dataclass(frozen=True)
class FetchRequest:
    """What a verifier wants fetched, with the method GET."""

    url: str = field(repr=False)
    """Where from. Its query may hold a secret, so it is not shown."""

    headers: dict[str, str]
    """What to send: ``Accept``, and the conditions that let a server answer 304."""

    timeout: float
    """In so many seconds there must be an answer; nobody waits longer."""

    max_bytes: int
    """A body beyond this is refused, so there is no use in reading more than one byte beyond it."""


@dataclass(frozen=True)
class FetchResponse:
    """What a server answered, whatever the status; a redirect is an answer like another.

    Example:
        >>> def fetch(request):
        ...     with urllib.request.urlopen(request.url, timeout=request.timeout) as answer:
        ...         return FetchResponse(answer.status, answer.read(), answer.headers.items())
    """

    status: int
    """The status; keys are read with 200, and kept with 304."""

    body: bytes = field(default=b"", repr=False)
    """The body, decompressed."""

    headers: Mapping[str, str] | Iterable[tuple[str, str]] = field(default=(), repr=False)
    """The headers. ``Cache-Control``, ``Expires``, ``ETag`` and ``Last-Modified`` count, in any case."""


class FetchError(Exception):
    """Raised by a program's own client: no answer, how far it came, and why.

    Any other exception does it too; then the reason is the name of its class alone.

    Args:
        phase: How far it came: one of :data:`FetchPhase`.
        reason: Why, in one line. It is shown and logged, so it must hold neither what the server sent nor secrets.

    Example:
        >>> raise FetchError("connect", "the proxy is down")
    """

    phase: FetchPhase
    """How far it came."""

    reason: str
    """Why."""

    def __init__(self, phase: FetchPhase, reason: str) -> None:
        if phase not in get_args(FetchPhase):
            raise ValueError(f"phase must be one of {', '.join(get_args(FetchPhase))}")
        super().__init__(phase, reason)
        self.phase = phase
        self.reason = reason

    def __str__(self) -> str:
        """How far it came, and why."""
        return f"{self.phase}: {self.reason}"


for _class in (FetchRequest, FetchResponse, FetchError):
    _class.__module__ = "jwtauth"
del _class
