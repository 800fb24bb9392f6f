"""A middleware for ASGI applications.

Example:
    >>> app = JWTAuthMiddleware(app, verifier, requires=requires(role="editor"))
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import quote

from jwtauth import Grant, Verifier
from jwtauth.integrations._core import Authenticator, Headers, Refused, Requirement, demanded, function, is_missing
from jwtauth.integrations._core import Requirement as requires

__all__ = ["JWTAuthMiddleware", "grant_of", "requires"]

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


class JWTAuthMiddleware:
    """Lets a request or WebSocket into an application only with a grant.

    Each instance decides for itself, also inside another one. Every method is decided, also OPTIONS: put a middleware that
    answers CORS requests around this one. A WebSocket is decided when it opens, and may stay open longer than its token is
    valid.

    Args:
        app: The application.
        verifier: The verifier. Build it once, when the program starts.
        requires: What the grant must have.
        optional: Whether a request without a token is let in, without a grant. An invalid token is refused in any case.
        profile: The profile to decide under. It is trusted: never take it from a request.
        realm: The realm of challenges.
        retry_after: After how many seconds a client should try again if the keys are out of reach.
        remote_addr: Returns the caller's address for a scope. Without it, the address of the connection is used.
    """

    def __init__(
        self,
        app: App,
        verifier: Verifier,
        *,
        requires: Requirement | None = None,
        optional: bool = False,
        profile: str | None = None,
        realm: str | None = None,
        retry_after: int = 5,
        remote_addr: Callable[[Scope], str | None] | None = None,
    ) -> None:
        authenticator = Authenticator(verifier, profile=profile, realm=realm, retry_after=retry_after)
        self._gate = Gate(app, authenticator, requires, optional=optional, remote_addr=remote_addr)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._gate(scope, receive, send)


class Gate:
    """The middleware, with an authenticator that several of them can share."""

    def __init__(
        self,
        app: App,
        authenticator: Authenticator,
        requirement: Requirement | None = None,
        *,
        optional: bool = False,
        remote_addr: Callable[[Scope], str | None] | None = None,
    ) -> None:
        self.app = app
        self._authenticator = authenticator
        self._requirement = demanded(requirement, optional=optional)
        self._optional = optional
        self._remote_addr = function("remote_addr", remote_addr)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            return await self.app(scope, receive, send)
        if kind not in ("http", "websocket"):
            raise ValueError(f"a scope of the type {kind!r} carries no token that this middleware could check")
        try:
            grant = await decided(self._authenticator, scope, self._remote_addr)
            self._requirement.check(grant)
        except Refused as refused:
            if not (self._optional and is_missing(refused)):
                return await refuse(self._authenticator.signed(refused), scope, send)
            grant = None
        # A copy, so that what is inside cannot change what is outside, and a grant of an outer one does not remain.
        await self.app({**scope, KEY: Decision(self._authenticator, grant, scope)}, receive, send)


def grant_of(scope: Scope) -> Grant | None:
    """The grant of a request in its scope. ``None`` if there is no middleware, or it is optional and there is no token."""
    decision: Decision | None = scope.get(KEY)
    return decision.grant if decision is not None else None


class Decision:
    """What was decided about a request, and about which."""

    __slots__ = ("_authenticator", "_headers", "_query", "grant")

    def __init__(self, authenticator: Authenticator, grant: Grant | None, scope: Scope) -> None:
        self.grant = grant
        self._authenticator = authenticator
        self._headers = scope["headers"]
        self._query = scope.get("query_string")

    def is_about(self, authenticator: Authenticator, scope: Scope) -> bool:
        """Whether it is the decision of an authenticator about this request. Applications make requests of their own from the
        scope of another one, with other headers."""
        is_same = self._headers is scope["headers"] and self._query == scope.get("query_string")
        return is_same and self._authenticator is authenticator


async def decided(
    authenticator: Authenticator, scope: Scope, remote_addr: Callable[[Scope], str | None] | None
) -> Grant:
    """The grant of a request: the one that the authenticator has already given to this request, or a new one.

    Raises:
        Refused: It is not granted.
    """
    earlier: Decision | None = scope.get(KEY)
    if earlier is not None and earlier.grant is not None and earlier.is_about(authenticator, scope):
        return earlier.grant
    client = scope.get("client")
    address = (client[0] if client else None) if remote_addr is None else remote_addr(scope)
    return await authenticator.decide_async(_headers(scope, authenticator.header_names), _url(scope), address)


async def refuse(refused: Refused, scope: Scope, send: Send) -> None:
    """Responds to a request or WebSocket that is not let in."""
    prefix = ""
    if scope["type"] == "websocket":
        if "websocket.http.response" not in (scope.get("extensions") or {}):
            # The server responds with 403. 1008: the message violates the policy (RFC 6455, section 7.4.1).
            return await send({"type": "websocket.close", "code": 1008})
        prefix = "websocket."
    body = refused.body
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **refused.headers}
    raw = [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
    await send({"type": f"{prefix}http.response.start", "status": refused.status, "headers": raw})
    await send({"type": f"{prefix}http.response.body", "body": b"" if scope.get("method") == "HEAD" else body})


def _headers(scope: Scope, names: frozenset[str]) -> Headers:
    """The headers with these names, with each value of a repeated one."""
    headers: Headers = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        if name not in names:
            continue
        value = raw_value.decode("latin-1")
        earlier = headers.get(name)
        if earlier is None:
            headers[name] = value
        elif isinstance(earlier, str):
            headers[name] = [earlier, value]
        else:
            earlier.append(value)
    return headers


def _url(scope: Scope) -> str:
    raw = scope.get("raw_path")
    path = raw.decode("latin-1") if raw else quote(scope["path"], errors="replace")
    query = scope.get("query_string") or b""
    return f"{path}?{query.decode('latin-1')}" if query else path


KEY = "jwtauth"
"""Where a scope has the :class:`Decision`."""
