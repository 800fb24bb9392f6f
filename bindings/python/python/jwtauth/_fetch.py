"""Fetching keys with the application's HTTP client: ``Verifier(config, fetch=...)``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

FetchPhase: TypeAlias = Literal["dns", "connect", "tls", "http", "parse"]
"""The phase in which a fetch failed."""


@dataclass(frozen=True)
class FetchRequest:
    """A document that a verifier needs, to be fetched with the method GET."""

    url: str = field(repr=False)
    """The URL. Its query may contain a secret, so ``repr`` does not show it."""

    headers: dict[str, str]
    """The headers to send: ``Accept``, and the conditions that allow a server to respond with 304."""

    timeout: float
    """Deadline for the response, in seconds."""

    max_bytes: int
    """The maximum length of the body. A longer body is refused, so reading more than one byte beyond it is
    unnecessary."""


@dataclass(frozen=True)
class FetchResponse:
    """A server's response with any status; a redirect is returned like every other response.

    Example:
        >>> def fetch(request):
        ...     with urllib.request.urlopen(request.url, timeout=request.timeout) as answer:
        ...         return FetchResponse(answer.status, answer.read(), answer.headers.items())
    """

    status: int
    """The HTTP status. With 200 the keys are read, with 304 the cached keys are kept."""

    body: bytes = field(default=b"", repr=False)
    """The body, decompressed."""

    headers: Mapping[str, str] | Iterable[tuple[str, str]] = field(default=(), repr=False)
    """The headers. ``Cache-Control``, ``Expires``, ``ETag``, ``Last-Modified`` and ``Content-Encoding`` are used;
    names are case-insensitive."""


class FetchError(Exception):
    """Raised by a ``fetch`` function: there is no response; gives the phase and the reason.

    Other exceptions also make the fetch fail; then the reason is only the name of their class.

    Args:
        phase: The phase in which it failed: one of :data:`FetchPhase`.
        reason: The reason, on one line. It is shown and logged, so it must contain neither text from the server nor
            secrets.

    Example:
        >>> raise FetchError("connect", "the proxy is down")
    """

    phase: FetchPhase
    """The phase in which it failed."""

    reason: str
    """The reason."""

    def __init__(self, phase: FetchPhase, reason: str) -> None:
        if phase not in get_args(FetchPhase):
            raise ValueError(f"phase must be one of {', '.join(get_args(FetchPhase))}")
        super().__init__(phase, reason)
        self.phase = phase
        self.reason = reason

    def __str__(self) -> str:
        """The phase and the reason."""
        return f"{self.phase}: {self.reason}"


for _class in (FetchRequest, FetchResponse, FetchError):
    _class.__module__ = "jwtauth"
del _class
