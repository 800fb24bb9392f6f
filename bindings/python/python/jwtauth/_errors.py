"""The exceptions: one for each class of failure. The class tells a caller what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jwtauth._jwtauth import Code, Stage
    from jwtauth._keys import SourceStatus


class Error(Exception):
    """A failure: the base class of every exception of this package, except ``FetchError``.

    It contains neither the token nor the value of a claim, so it may be logged.

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
    """The message for the code."""

    stage: Stage
    """The stage in which it happened."""

    claim: str | None
    """The name of the claim that it concerns."""

    detail: str | None
    """Details: the place in the configuration, the file or URL, the text of the operating system or of the configured
    system."""

    applicable: bool | None
    """``False`` if the configured system would pass the denied request to its next authenticator, else ``True``;
    ``None`` if the failure is not the denial of a verifier."""

    http_status: int | None
    """The HTTP status with which the configured system would respond."""

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
        """One line: the code and the message, with the claim and the detail if they are known."""
        text = f"{self.code}: {self.message}"
        if self.claim is not None:
            text += f' (claim "{self.claim}")'
        if self.detail is not None:
            text += f": {self.detail}"
        return text


class Denied(Error):
    """The request is denied."""


class ConfigError(Error):
    """The configuration is invalid."""


class Unavailable(Error):
    """There is no decision, because keys could not be fetched, or the store of sessions does not answer. Retry later, and
    never treat it as a grant."""

    sources: Sequence[SourceStatus] = ()
    """The status of every key source, if ``refresh_keys`` failed."""


class ArgumentError(Error):
    """The calling program passed an invalid argument."""


class InternalError(Error):
    """An internal error of the library; please report it."""


for _class in (Error, Denied, ConfigError, Unavailable, ArgumentError, InternalError):
    # Tracebacks and pickles then show the public module.
    _class.__module__ = "jwtauth"
del _class
