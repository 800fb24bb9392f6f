"""Flask: an extension that refuses requests without a grant.

Example:
    >>> auth = JWTAuth(verifier)
    >>> auth.init_app(app)
    >>> @app.get("/admin")
    ... @auth.requires(role="admin")
    ... def admin() -> str:
    ...     return f"hello {auth.grant.identity.name}"
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from jwtauth import Entitlement, Grant, Verifier
from jwtauth.integrations import wsgi
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
    switch,
)

try:
    from flask import Flask, Request, Response, current_app, request
except ImportError as why:
    raise missing_extra(__name__, "flask", why) from why

__all__ = ["JWTAuth"]

_View = TypeVar("_View", bound=Callable[..., Any])


class JWTAuth:
    """Refuses requests without a grant before a view is called: every view needs a grant, except the public ones.

    The answer that Flask itself gives to OPTIONS, without calling a view, needs no grant.

    Args:
        verifier: The verifier. Build it once, when the program starts.
        app: The application, if it exists already; otherwise call :meth:`init_app`.
        optional: Whether a request without a token is let in, without a grant, where nothing else is required. An invalid token
            is refused in any case.
        profile: The profile to decide under. It is trusted: never take it from a request.
        realm: The realm of challenges.
        retry_after: After how many seconds a client should try again if the keys are out of reach.
        remote_addr: Returns the caller's address for a request. Without it, ``request.remote_addr`` is used.
    """

    def __init__(
        self,
        verifier: Verifier,
        app: Flask | None = None,
        *,
        optional: bool = False,
        profile: str | None = None,
        realm: str | None = None,
        retry_after: int = 5,
        remote_addr: Callable[[Request], str | None] | None = None,
    ) -> None:
        self._authenticator = Authenticator(verifier, profile=profile, realm=realm, retry_after=retry_after)
        self._optional = switch("optional", optional)
        self._remote_addr = function("remote_addr", remote_addr)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Protects an application. Functions that were registered with ``before_request`` earlier run before the decision."""
        app.before_request(self._before_request)

    @property
    def grant(self) -> Grant | None:
        """The grant of the current request. ``None`` in a public view, and without a token if that is optional."""
        decision = request.environ.get(_KEY)
        if decision is None or decision[0] is not self._authenticator:
            return None
        grant: Grant | None = decision[1]
        return grant

    def public(self, view: _View) -> _View:
        """Marks a view that needs no grant. Its requests are not decided, so they have no grant either.

        The mark belongs to the function, on all its routes, as that of :meth:`requires` does.
        """
        setattr(view, _PUBLIC, (*getattr(view, _PUBLIC, ()), self))
        return view

    def requires(
        self,
        *,
        role: Names | _Absent = ABSENT,
        policy: Names | _Absent = ABSENT,
        group: Names | _Absent = ABSENT,
        entitlement: Entitlement | Iterable[Entitlement] | _Absent = ABSENT,
    ) -> Callable[[_View], _View]:
        """A decorator: the grant must have something. See :func:`jwtauth.integrations.wsgi.requires`.

        It has an effect above and below ``@app.route``. It belongs to the function: to register one function for two routes
        with different requirements, write two functions.
        """
        requirement = Requirement(role=role, policy=policy, group=group, entitlement=entitlement)

        def decorate(view: _View) -> _View:
            # Flask calls what `route` has registered. Above `route`, that is not the wrapper made here, so the function is marked
            # too, with all that it wraps. Below other decorators, the mark may get lost, so the wrapper checks again.
            inner: Any = view
            while inner is not None:
                setattr(inner, _REQUIRED, (*getattr(inner, _REQUIRED, ()), (self, requirement)))
                inner = getattr(inner, "__wrapped__", None)

            if iscoroutinefunction(view):

                @wraps(view)
                async def wrapper(*args: Any, **arguments: Any) -> Any:
                    refusal = self._refusal(requirement)
                    return await view(*args, **arguments) if refusal is None else refusal
            else:

                @wraps(view)
                def wrapper(*args: Any, **arguments: Any) -> Any:
                    refusal = self._refusal(requirement)
                    return view(*args, **arguments) if refusal is None else refusal

            return wrapper  # type: ignore[return-value]

        return decorate

    def _before_request(self) -> Response | None:
        request.environ.pop(_KEY, None)
        # As Flask itself asks before it answers without a view.
        if request.method == "OPTIONS" and getattr(request.url_rule, "provide_automatic_options", False):
            return None
        view = current_app.view_functions.get(request.endpoint or "")
        marks: tuple[tuple[JWTAuth, Requirement], ...] = getattr(view, _REQUIRED, ())
        required = [requirement for owner, requirement in marks if owner is self]
        for requirement in required:
            if (refusal := self._refusal(requirement)) is not None:
                return refusal
        if required or self in getattr(view, _PUBLIC, ()):
            return None
        return self._refusal(None)

    def _refusal(self, requirement: Requirement | None) -> Response | None:
        """Decides the current request, unless that was done. Returns the response if it is not let in."""
        try:
            grant = self.grant or self._decided()
            if requirement is not None:
                requirement.check(grant)
        except Refused as refused:
            if requirement is None and self._optional and is_missing(refused):
                return None
            self._authenticator.signed(refused)
            return Response(refused.body, refused.status, refused.headers, content_type="application/json")
        return None

    def _decided(self) -> Grant:
        address = self._remote_addr(request) if self._remote_addr is not None else request.remote_addr
        grant = wsgi.decided(self._authenticator, request.environ, lambda _: address)
        request.environ[_KEY] = (self._authenticator, grant)
        return grant


_KEY = "jwtauth.flask"
"""Where the environment of a request has the decision: the authenticator and its grant."""

# Attributes of views: the extensions for which a view is public; requirements, each with its extension.
_PUBLIC = "_jwtauth_public"
_REQUIRED = "_jwtauth_required"
