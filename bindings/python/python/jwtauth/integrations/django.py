"""Django: a middleware and a decorator for views. The authentication backend is in :mod:`jwtauth.integrations.django_auth`.

Example:
    >>> MIDDLEWARE = [..., "jwtauth.integrations.django.JWTAuthMiddleware"]
    >>> JWTAUTH = {"VERIFIER": "site.auth.verifier"}
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache, partial, wraps
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from jwtauth import Entitlement, Grant
from jwtauth.integrations._core import (
    ABSENT,
    Authenticator,
    Names,
    Refused,
    Requirement,
    _Absent,
    function,
    headers_of_environ,
    is_missing,
    missing_extra,
    switch,
)

try:
    from asgiref.sync import iscoroutinefunction, markcoroutinefunction
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.signals import setting_changed
    from django.http import HttpRequest, HttpResponse
    from django.utils.module_loading import import_string
except ImportError as why:
    raise missing_extra(__name__, "django", why) from why

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

__all__ = ["JWTAuthMiddleware", "grant_of", "public", "requires"]

_View = TypeVar("_View", bound=Callable[..., Any])


class JWTAuthMiddleware:
    """Refuses requests without a grant before a view is called: every view needs a grant, except the public ones.

    What other middleware answers without a view is not decided here. It works with WSGI and ASGI, and does not block the event
    loop. The setting ``JWTAUTH`` has its options.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]]) -> None:
        self._get_response = get_response
        self.process_view: Callable[..., Any] = self._process_view
        integration()  # A wrong setting is reported when the server starts.
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)
            self.process_view = self._process_view_async

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        _set(request, None)
        return self._get_response(request)

    def _process_view(self, request: HttpRequest, view: Callable[..., Any], *_: object) -> HttpResponse | None:
        if _is_public(view):
            return None
        try:
            integration().decide(request)
        except Refused as refused:
            return _unless_optional(refused)
        return None

    async def _process_view_async(self, request: HttpRequest, view: Callable[..., Any], *_: object) -> HttpResponse | None:
        if _is_public(view):
            return None
        try:
            await integration().decide_async(request)
        except Refused as refused:
            return _unless_optional(refused)
        return None


def grant_of(request: HttpRequest) -> Grant | None:
    """The grant of a request. ``None`` in a public view, and without a token if that is optional."""
    decision: tuple[Authenticator, Grant] | None = getattr(request, _DECISION, None)
    return decision[1] if decision is not None else None


def public(view: _View) -> _View:
    """A decorator for views that need no grant. Their requests are not decided, so they have no grant either.

    For a class of views, use ``@method_decorator(public, name="dispatch")``. Classes that inherit from it are not public.
    """

    @wraps(view)
    def wrapper(*args: Any, **arguments: Any) -> Any:
        return view(*args, **arguments)

    if iscoroutinefunction(view):
        markcoroutinefunction(wrapper)
    # Each has its own name, because a class's `dispatch` gets the attributes of the inherited one.
    setattr(wrapper, f"{_PUBLIC}{next(_NUMBERS)}", True)
    return wrapper  # type: ignore[return-value]


def requires(
    *,
    role: Names | _Absent = ABSENT,
    policy: Names | _Absent = ABSENT,
    group: Names | _Absent = ABSENT,
    entitlement: Entitlement | Iterable[Entitlement] | _Absent = ABSENT,
) -> Callable[[_View], _View]:
    """A decorator for views: the grant must have something. See :func:`jwtauth.integrations.wsgi.requires`.

    It reads the grant of the middleware. Without the middleware it decides for itself. For a class of views, also an
    asynchronous one, use ``@method_decorator(requires(...), name="dispatch")``.
    """
    requirement = Requirement(role=role, policy=policy, group=group, entitlement=entitlement)

    def decorate(view: _View) -> _View:
        if _is_async(view):

            @wraps(view)
            async def wrapper(request: HttpRequest, *args: Any, **arguments: Any) -> HttpResponseBase:
                try:
                    requirement.check(await integration().decide_async(request))
                except Refused as refused:
                    return _response(refused)
                response: HttpResponseBase = await view(request, *args, **arguments)
                return response
        else:

            @wraps(view)
            def wrapper(request: HttpRequest, *args: Any, **arguments: Any) -> Any:
                try:
                    requirement.check(integration().decide(request))
                except Refused as refused:
                    return _response(refused)
                return view(request, *args, **arguments)

        return wrapper  # type: ignore[return-value]

    return decorate


class Integration:
    """The setting ``JWTAUTH``, read."""

    def __init__(self, given: Any) -> None:
        if not isinstance(given, dict) or "VERIFIER" not in given:
            raise ImproperlyConfigured('the setting `JWTAUTH` must be a dict with "VERIFIER"')
        unknown = [str(name) for name in given if name not in _OPTIONS]
        if unknown:
            raise ImproperlyConfigured(f"`JWTAUTH[{unknown[0]!r}]` is not known; the options are {', '.join(_OPTIONS)}")
        self.users = given.get("USERS")
        if self.users not in (None, "existing", "create"):
            raise ImproperlyConfigured('`JWTAUTH["USERS"]` must be "existing" or "create"')
        names = {"PROFILE": "profile", "REALM": "realm", "RETRY_AFTER": "retry_after"}
        options = {argument: given[name] for name, argument in names.items() if name in given}
        try:
            self.optional = switch("OPTIONAL", given.get("OPTIONAL", False))
            self._remote_addr = function("REMOTE_ADDR", _imported(given.get("REMOTE_ADDR")))
            self.authenticator = Authenticator(_imported(given["VERIFIER"]), **options)
        except (TypeError, ValueError) as why:
            raise ImproperlyConfigured(f"`JWTAUTH`: {why}") from why

    def remote_addr(self, request: HttpRequest) -> str | None:
        """The caller's address."""
        address: str | None = request.META.get("REMOTE_ADDR") if self._remote_addr is None else self._remote_addr(request)
        return address

    def decide(self, request: HttpRequest) -> Grant:
        """Decides a request, unless that was done."""
        if (earlier := self._earlier(request)) is not None:
            return earlier
        grant = self.authenticator.decide(*self._parts(request))
        _set(request, (self.authenticator, grant))
        return grant

    async def decide_async(self, request: HttpRequest) -> Grant:
        """Decides a request on the event loop, unless that was done."""
        if (earlier := self._earlier(request)) is not None:
            return earlier
        grant = await self.authenticator.decide_async(*self._parts(request))
        _set(request, (self.authenticator, grant))
        return grant

    def may_be_from_cookie(self, request: HttpRequest) -> bool:
        """Whether the token of a granted request may be from a cookie."""
        headers = headers_of_environ(request.META, self.authenticator.header_names)
        return self.authenticator.may_be_from_cookie(headers)

    def _earlier(self, request: HttpRequest) -> Grant | None:
        decision: tuple[Authenticator, Grant] | None = getattr(request, _DECISION, None)
        return decision[1] if decision is not None and decision[0] is self.authenticator else None

    def _parts(self, request: HttpRequest) -> tuple[Any, str, str | None]:
        headers = headers_of_environ(request.META, self.authenticator.header_names)
        return headers, request.get_full_path(), self.remote_addr(request)


@lru_cache(maxsize=1)
def integration() -> Integration:
    """The integration of this process."""
    return Integration(getattr(settings, "JWTAUTH", None))


def _forget(*, setting: str, **_: object) -> None:
    if setting == "JWTAUTH":
        integration.cache_clear()


# For `override_settings` in tests.
setting_changed.connect(_forget)


def _is_public(view: Any) -> bool:
    """Whether a view is public. Django gives it the attributes of its class's `dispatch`; those of inherited ones do not count."""
    marks = _marks(view)
    if marks:
        # REST framework's sets of views have the other name.
        kind: Any = getattr(view, "view_class", None) or getattr(view, "cls", object)
        for base in kind.__mro__[1:]:
            marks -= _marks(vars(base).get("dispatch"))
    return bool(marks)


def _marks(view: Any) -> set[str]:
    return {name for name in getattr(view, "__dict__", ()) if name.startswith(_PUBLIC)}


def _is_async(view: Any) -> bool:
    """Whether a view returns an awaitable. Methods of an asynchronous class do, also `dispatch`, which is a plain function."""
    if iscoroutinefunction(view):
        return True
    while view is not None:
        # `method_decorator` makes a partial of the method, which other decorators may have wrapped.
        method = view.func if isinstance(view, partial) else view
        if getattr(getattr(method, "__self__", None), "view_is_async", False):
            return True
        view = getattr(view, "__wrapped__", None)
    return False


def _imported(value: Any) -> Any:
    return import_string(value) if isinstance(value, str) else value


def _set(request: HttpRequest, decision: tuple[Authenticator, Grant] | None) -> None:
    setattr(request, _DECISION, decision)


def _unless_optional(refused: Refused) -> HttpResponse | None:
    return None if integration().optional and is_missing(refused) else _response(refused)


def _response(refused: Refused) -> HttpResponse:
    integration().authenticator.signed(refused)
    response: Any = HttpResponse(refused.body, "application/json", refused.status, headers=refused.headers)
    # Django would log a 503 with the headers of the request, which some releases send to the administrators with the token.
    response._has_been_logged = True
    refusal: HttpResponse = response
    return refusal


_OPTIONS = ("VERIFIER", "PROFILE", "OPTIONAL", "REALM", "RETRY_AFTER", "REMOTE_ADDR", "USERS")
# The attributes of public views begin with it.
_PUBLIC = "_jwtauth_public_"
_NUMBERS = count()
_DECISION = "_jwtauth"
