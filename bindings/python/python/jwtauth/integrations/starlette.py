"""Starlette: middleware for an application, a mount or a route.

Example:
    >>> auth = JWTAuth(verifier)
    >>> app = Starlette(
    ...     routes=[Route("/", home), Route("/admin", admin, middleware=[auth.requires(role="admin")])],
    ...     middleware=[auth.requires()],
    ... )
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from jwtauth import Entitlement, Grant, Verifier
from jwtauth.integrations import asgi
from jwtauth.integrations._core import ABSENT, Authenticator, Names, Requirement, _Absent, function, missing_extra

try:
    from starlette.middleware import Middleware
    from starlette.requests import HTTPConnection
except ImportError as why:
    raise missing_extra(__name__, "starlette", why) from why

__all__ = ["JWTAuth", "grant_of"]


class JWTAuth:
    """Makes middleware that lets in only requests and WebSockets with a grant.

    The middleware of one object decides a request once: that of a route reads the grant that the application's middleware has
    already made. It is the middleware of :mod:`jwtauth.integrations.asgi`, so the same applies to OPTIONS and to WebSockets.

    Args:
        verifier: The verifier. Build it once, when the program starts.
        profile: The profile to decide under. It is trusted: never take it from a request.
        realm: The realm of challenges.
        retry_after: After how many seconds a client should try again if the keys are out of reach.
        remote_addr: Returns the caller's address for a request. Without it, the address of the connection is used.
    """

    def __init__(
        self,
        verifier: Verifier,
        *,
        profile: str | None = None,
        realm: str | None = None,
        retry_after: int = 5,
        remote_addr: Callable[[HTTPConnection], str | None] | None = None,
    ) -> None:
        self._authenticator = Authenticator(verifier, profile=profile, realm=realm, retry_after=retry_after)
        self._remote_addr = function("remote_addr", remote_addr)

    def requires(
        self,
        *,
        role: Names | _Absent = ABSENT,
        policy: Names | _Absent = ABSENT,
        group: Names | _Absent = ABSENT,
        entitlement: Entitlement | Iterable[Entitlement] | _Absent = ABSENT,
    ) -> Middleware:
        """Middleware that requires a grant, and that the grant has something. See :func:`jwtauth.integrations.asgi.requires`."""
        requirement = Requirement(role=role, policy=policy, group=group, entitlement=entitlement)
        return self._middleware(requirement=requirement)

    def optional(self) -> Middleware:
        """Middleware that also lets in requests without a token. They have no grant."""
        return self._middleware(optional=True)

    def _middleware(self, requirement: Requirement | None = None, *, optional: bool = False) -> Middleware:
        remote_addr = self._remote_addr
        address = None if remote_addr is None else lambda scope: remote_addr(HTTPConnection(scope))
        # By names, because older releases pass on no others.
        return Middleware(
            asgi.Gate, authenticator=self._authenticator, requirement=requirement, optional=optional, remote_addr=address
        )


def grant_of(connection: HTTPConnection) -> Grant | None:
    """The grant of a request or WebSocket. ``None`` without middleware, or without a token if it is optional."""
    return asgi.grant_of(connection.scope)
