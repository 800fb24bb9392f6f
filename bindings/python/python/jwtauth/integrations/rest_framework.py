"""Django REST framework: an authentication class, and a permission class for each requirement.

Example:
    >>> class Reports(APIView):
    ...     authentication_classes = [JWTAuthentication]
    ...     permission_classes = [requires(role="editor")]
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from jwtauth import Entitlement, Grant
from jwtauth.integrations._core import ABSENT, Names, Refused, Requirement, _Absent, is_missing, missing_extra

try:
    from rest_framework import exceptions
    from rest_framework.authentication import BaseAuthentication, SessionAuthentication
    from rest_framework.permissions import BasePermission
except ImportError as why:
    raise missing_extra(__name__, "rest-framework", why) from why

from jwtauth.integrations.django import integration

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

__all__ = ["GrantUser", "JWTAuthentication", "requires"]


class JWTAuthentication(BaseAuthentication):
    """Authenticates a request by its token: ``request.auth`` is the grant, and ``request.user`` is who it names.

    A request without a token is left to the next authentication class, and is refused by permissions such as
    ``IsAuthenticated``. If the token is in a cookie, the request also needs Django's CSRF token, unless its method is safe.

    The setting ``JWTAUTH`` has the options; see :mod:`jwtauth.integrations.django`. With ``"USERS"`` in it, the user is that of
    the database, otherwise a :class:`GrantUser`.
    """

    def authenticate(self, request: Request) -> tuple[Any, Grant] | None:
        """The user and the grant. ``None`` without a token."""
        this = integration()
        try:
            grant = this.decide(request._request)
        except Refused as refused:
            if is_missing(refused):
                return None
            raise _exception(refused) from None
        if this.may_be_from_cookie(request._request):
            # Views of REST framework are exempt from the check of Django's middleware.
            SessionAuthentication().enforce_csrf(request)
        if this.users is None:
            return GrantUser(grant), grant
        from jwtauth.integrations.django_auth import user_of

        user = user_of(grant, create=this.users == "create")
        if user is None:
            raise _exception(Refused(403, "insufficient_scope", "the token names no user of this application"))
        return user, grant

    def authenticate_header(self, _request: Request) -> str:
        """The challenge for a request without a token."""
        challenge = integration().authenticator.signed(Refused.missing()).challenge
        assert challenge is not None
        return challenge


class GrantUser:
    """The user of a request that names no user of the database. Django's own permissions give it nothing."""

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    is_superuser = False

    def __init__(self, grant: Grant) -> None:
        self.grant = grant

    @property
    def username(self) -> str:
        """The caller's name; empty if the configuration maps none."""
        return self.grant.identity.name or ""

    @property
    def pk(self) -> str:
        """A text that is not the key of any user of the database."""
        return f"jwtauth:{self.username}"

    id = pk

    def get_username(self) -> str:
        """The caller's name."""
        return self.username

    def has_perm(self, *_: object) -> bool:
        """Whether the user has a permission of Django: never."""
        return False

    def has_perms(self, *_: object) -> bool:
        """Whether the user has permissions of Django: never."""
        return False

    def has_module_perms(self, *_: object) -> bool:
        """Whether the user has a permission in an application of Django: never."""
        return False

    def __str__(self) -> str:
        return self.username


def requires(
    *,
    role: Names | _Absent = ABSENT,
    policy: Names | _Absent = ABSENT,
    group: Names | _Absent = ABSENT,
    entitlement: Entitlement | Iterable[Entitlement] | _Absent = ABSENT,
) -> type[BasePermission]:
    """A permission class: the grant must have something. See :func:`jwtauth.integrations.wsgi.requires`.

    It reads ``request.auth``, so a user of another authentication class is refused. Combined with ``|``, it refuses with the
    framework's own body, because another permission may still let the request in.
    """
    requirement = Requirement(role=role, policy=policy, group=group, entitlement=entitlement)

    class Required(BasePermission):
        message = "the grant does not have what this request requires"
        code = "insufficient_scope"

        def has_permission(self, request: Request, view: APIView) -> bool:
            grant = request.auth
            if not isinstance(grant, Grant):
                return False
            # All permissions of the view's list must hold, so this one alone can refuse. In a combination it cannot.
            if type(self) not in view.permission_classes:
                return requirement.is_met_by(grant)
            try:
                requirement.check(grant)
            except Refused as refused:
                raise _exception(refused) from None
            return True

    return Required


def _exception(refused: Refused) -> exceptions.APIException:
    """The exception that makes REST framework respond as RFC 6750 specifies."""
    integration().authenticator.signed(refused)
    exception = exceptions.APIException(refused.detail)
    exception.status_code = refused.status
    # The names that the framework's exception handler reads.
    if refused.challenge is not None:
        exception.auth_header = refused.challenge  # type: ignore[attr-defined]
    if refused.retry_after is not None:
        exception.wait = refused.retry_after  # type: ignore[attr-defined]
    return exception
