"""The exceptions: one for each class of failure, by what a caller should do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jwtauth._jwtauth import Code, Stage
    from jwtauth._keys import SourceStatus


class Error(Exception):
    """A failure: anything but a grant.

    Neither the token nor the value of any claim is part of it, so it may be logged.

    Example:
        >>> try:
        ...     grant = verifier.authenticate(token)
        ... except Error as why:
        ...     print(why)
        token_expired: the token has expired (claim "exp")
    """

    code: Code
    """The stable name of the failure; never renamed, never reused."""

    message: str
    """The sentence that goes with the code."""

    stage: Stage
    """Where it happened."""

    claim: str | None
    """The name of the claim it is about."""

    detail: str | None
    """Where in the configuration, which file or URL, what the operating system or the configured system says."""

    applicable: bool | None
    """``False`` for a denial that the configured system would hand to its next authenticator; else ``True``, and
    ``None`` for what is no denial."""

    http_status: int | None
    """The status that the configured system would answer over HTTP."""

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        stage: Stage = "configure",
        claim: str | None = None,
        detail: str | None = None,
        applicable: bool | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.stage = stage
        self.claim = claim
        self.detail = detail
        self.applicable = applicable
        self.http_status = http_status

    def __str__(self) -> str:
        """One line: the code, the message, and what is known beside them."""
        text = f"{self.code}: {self.message}"
        if self.claim is not None:
            text += f' (claim "{self.claim}")'
        if self.detail is not None:
            text += f": {self.detail}"
        return text


class Denied(Error):
    """The answer is no."""


class ConfigError(Error):
    """The operator must mend the configuration."""


class Unavailable(Error):
    """The answer is not known, because keys could not be obtained. Worth a retry; never a yes."""

    sources: Sequence[SourceStatus] = ()
    """How every key source is, where ``refresh_keys`` failed."""


class ArgumentError(Error):
    """The calling program made a mistake."""


class InternalError(Error):
    """The library made a mistake; please report it."""


for _class in (Error, Denied, ConfigError, Unavailable, ArgumentError, InternalError):
    # Tracebacks and pickles say where users find them.
    _class.__module__ = "jwtauth"
del _class
