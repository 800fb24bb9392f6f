"""FastAPI: a dependency that returns the grant of a request.

Example:
    >>> auth = JWTAuth(verifier)
    >>> @app.get("/me")
    ... async def me(grant: Annotated[Grant, Depends(auth)]) -> str | None:
    ...     return grant.identity.name
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any

from jwtauth import Entitlement, Grant, Verifier
from jwtauth.integrations import asgi
from jwtauth.integrations._core import (
    ABSENT,
    Authenticator,
    Names,
    Refused,
    Requirement,
    _Absent,
    function,
    is_missing,
    missing_extra,
)

try:
    from fastapi import Depends, HTTPException
    from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
    from fastapi.security.base import SecurityBase
    from starlette.requests import HTTPConnection
except ImportError as why:
    raise missing_extra(__name__, "fastapi", why) from why

__all__ = ["JWTAuth"]


class JWTAuth(SecurityBase):
    """A dependency that returns the :class:`jwtauth.Grant` of a request or WebSocket, or refuses it.

    It appears in OpenAPI as a security scheme: a bearer token, or the header, parameter or cookie of the configuration. It
    decides on the event loop and never blocks it.

    The dependencies of an application (``FastAPI(dependencies=[Depends(auth)])``) do not protect what is mounted in it, its
    static files and its documentation. Use :class:`jwtauth.integrations.asgi.JWTAuthMiddleware` for these.

    Args:
        verifier: The verifier. Build it once, when the program starts.
        profile: The profile to decide under. It is trusted: never take it from a request.
        realm: The realm of challenges.
        retry_after: After how many seconds a client should try again if the keys are out of reach.
        remote_addr: Returns the caller's address for a request. Without it, the address of the connection is used.
        scheme_name: The name of the security scheme in OpenAPI.

    Raises:
        fastapi.HTTPException: (when it is called) 401, 403, 503 or 500, with the headers that belong to the status.
    """

    def __init__(
        self,
        verifier: Verifier,
        *,
        profile: str | None = None,
        realm: str | None = None,
        retry_after: int = 5,
        remote_addr: Callable[[HTTPConnection], str | None] | None = None,
        scheme_name: str = "jwtauth",
    ) -> None:
        self._authenticator = Authenticator(verifier, profile=profile, realm=realm, retry_after=retry_after)
        self._remote_addr = function("remote_addr", remote_addr)
        if not isinstance(scheme_name, str):
            raise TypeError(f"`scheme_name` must be a string, not {type(scheme_name).__name__}")
        self.model = _model(self._authenticator)
        self.scheme_name = scheme_name
        self.optional = _Optional(self)

    async def __call__(self, connection: HTTPConnection) -> Grant:
        """The grant of a request."""
        try:
            return await self._decided(connection)
        except Refused as refused:
            raise self._exception(refused) from None

    def requires(
        self,
        *,
        role: Names | _Absent = ABSENT,
        policy: Names | _Absent = ABSENT,
        group: Names | _Absent = ABSENT,
        entitlement: Entitlement | Iterable[Entitlement] | _Absent = ABSENT,
    ) -> Callable[..., Awaitable[Grant]]:
        """A dependency that also requires that the grant has something. See :func:`jwtauth.integrations.asgi.requires`.

        Example:
            >>> @app.delete("/reports/{name}", dependencies=[Depends(auth.requires(role="editor"))])
        """
        requirement = Requirement(role=role, policy=policy, group=group, entitlement=entitlement)

        # FastAPI calls `auth` once for a request, and gives its grant to each of these.
        async def required(grant: Annotated[Grant, Depends(self)]) -> Grant:
            try:
                return requirement.check(grant)
            except Refused as refused:
                raise self._exception(refused) from None

        return required

    async def _decided(self, connection: HTTPConnection) -> Grant:
        remote_addr = self._remote_addr
        address = None if remote_addr is None else lambda _: remote_addr(connection)
        return await asgi.decided(self._authenticator, connection.scope, address)

    def _exception(self, refused: Refused) -> HTTPException:
        self._authenticator.signed(refused)
        return HTTPException(refused.status, refused.detail, refused.headers)


class _Optional(SecurityBase):
    """A dependency that also lets in requests without a token: ``Depends(auth.optional)``. An invalid token is refused."""

    def __init__(self, auth: JWTAuth) -> None:
        self._auth = auth
        self.model = auth.model
        self.scheme_name = auth.scheme_name

    async def __call__(self, connection: HTTPConnection) -> Grant | None:
        try:
            return await self._auth._decided(connection)
        except Refused as refused:
            if is_missing(refused):
                return None
            raise self._auth._exception(refused) from None


def _model(authenticator: Authenticator) -> Any:
    """The security scheme in OpenAPI for the place where the configuration reads tokens."""
    if authenticator.header is not None:
        if authenticator.header.lower() == "authorization":
            return HTTPBearer(bearerFormat="JWT")
        return _key(APIKeyIn.header, authenticator.header)
    if authenticator.query is not None:
        return _key(APIKeyIn.query, authenticator.query)
    return _key(APIKeyIn.cookie, authenticator.cookie)


def _key(place: APIKeyIn, name: str | None) -> APIKey:
    # The field's name is `in_`, and its alias is a keyword.
    return APIKey.model_validate({"in": place, "name": name})
