"""A middleware for WSGI applications.

Example:
    >>> app = JWTAuthMiddleware(app, verifier, requires=requires(role="editor"))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jwtauth import Grant, Verifier
from jwtauth.integrations._core import (
    Authenticator,
    Refused,
    Requirement,
    demanded,
    function,
    headers_of_environ,
    is_missing,
)
from jwtauth.integrations._core import Requirement as requires

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["JWTAuthMiddleware", "grant_of", "requires"]


class JWTAuthMiddleware:
    """Lets a request into an application only with a grant.

    Each instance decides for itself, also inside another one. Every method is decided, also OPTIONS: put a middleware that
    answers CORS requests around this one.

    Args:
        app: The application.
        verifier: The verifier. Build it once, when the program starts.
        requires: What the grant must have.
        optional: Whether a request without a token is let in, without a grant. An invalid token is refused in any case.
        profile: The profile to decide under. It is trusted: never take it from a request.
        realm: The realm of challenges.
        retry_after: After how many seconds a client should try again if the keys are out of reach.
        remote_addr: Returns the caller's address for an environment. Without it, ``REMOTE_ADDR`` is used.
    """

    def __init__(
        self,
        app: WSGIApplication,
        verifier: Verifier,
        *,
        requires: Requirement | None = None,
        optional: bool = False,
        profile: str | None = None,
        realm: str | None = None,
        retry_after: int = 5,
        remote_addr: Callable[[WSGIEnvironment], str | None] | None = None,
    ) -> None:
        self.app = app
        self._authenticator = Authenticator(verifier, profile=profile, realm=realm, retry_after=retry_after)
        self._requirement = demanded(requires, optional=optional)
        self._optional = optional
        self._remote_addr = function("remote_addr", remote_addr)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        grant: Grant | None
        try:
            grant = self._requirement.check(decided(self._authenticator, environ, self._remote_addr))
        except Refused as refused:
            if not (self._optional and is_missing(refused)):
                return _refuse(self._authenticator.signed(refused), environ, start_response)
            grant = None
        environ[KEY] = (self._authenticator, grant)
        return self.app(environ, start_response)


def grant_of(environ: WSGIEnvironment) -> Grant | None:
    """The grant of a request in its environment. ``None`` if there is no middleware, or it is optional and there is no token."""
    decision: tuple[Authenticator, Grant | None] | None = environ.get(KEY)
    return decision[1] if decision is not None else None


def decided(
    authenticator: Authenticator,
    environ: WSGIEnvironment,
    remote_addr: Callable[[WSGIEnvironment], str | None] | None = None,
) -> Grant:
    """Decides the request of an environment.

    Raises:
        Refused: It is not granted.
    """
    address: Any = environ.get("REMOTE_ADDR") if remote_addr is None else remote_addr(environ)
    return authenticator.decide(headers_of_environ(environ, authenticator.header_names), _url(environ), address)


def _refuse(refused: Refused, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    body = refused.body
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **refused.headers}
    start_response(f"{refused.status} {HTTPStatus(refused.status).phrase}", list(headers.items()))
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]


def _url(environ: WSGIEnvironment) -> str:
    # Texts of an environment have a character for each byte (PEP 3333).
    path = quote(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""), encoding="latin-1", errors="replace")
    query = environ.get("QUERY_STRING", "")
    return f"{path}?{query}" if query else path


KEY = "jwtauth.decision"
"""Where an environment has the decision: the authenticator and its grant."""
