"""Django: an authentication backend, and the user of the database that a grant names.

Example:
    >>> AUTHENTICATION_BACKENDS = ["jwtauth.integrations.django_auth.JWTAuthBackend"]
    >>> user = django.contrib.auth.authenticate(request, token=token)
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from jwtauth import Error, Grant
from jwtauth.integrations._core import missing_extra, switch

try:
    from asgiref.sync import sync_to_async
    from django.contrib.auth import get_user_model
    from django.contrib.auth.backends import ModelBackend
    from django.core.exceptions import ValidationError
    from django.db import DataError, IntegrityError, router, transaction
except ImportError as why:
    raise missing_extra(__name__, "django", why) from why

from jwtauth.integrations.django import integration

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.http import HttpRequest

__all__ = ["JWTAuthBackend", "user_of"]


class JWTAuthBackend(ModelBackend):
    """An authentication backend: ``django.contrib.auth.authenticate(request, token=...)`` returns the user that a token names.

    The issuer of the tokens decides who is which user of the database, also who is an administrator. Use it only with an issuer
    that may decide this. With ``"USERS": "create"`` in the setting ``JWTAUTH``, an unknown user is created, without a password and
    without rights. A session that begins with this user can outlast the token.
    """

    def authenticate(  # type: ignore[override]
        self, request: HttpRequest | None, token: str | None = None
    ) -> AbstractBaseUser | None:
        """The user that a token names. ``None`` if the token is refused, or the keys are out of reach."""
        if token is None:
            return None
        this = integration()
        address = None if request is None else this.remote_addr(request)
        authenticator = this.authenticator
        try:
            grant = authenticator.verifier.authenticate(token, profile=authenticator.profile, remote_addr=address)
        except Error as why:
            authenticator.refusal(why)
            return None
        return user_of(grant, create=this.users == "create")

    async def aauthenticate(  # type: ignore[override]
        self, request: HttpRequest | None, token: str | None = None
    ) -> AbstractBaseUser | None:
        """Does the same on another thread, because it reads the database."""
        return await sync_to_async(self.authenticate)(request, token)


def user_of(grant: Grant, *, create: bool) -> AbstractBaseUser | None:
    """The active user of the database whose user name is exactly the name in a grant.

    ``None`` if there is no such user, and none can be created.

    Raises:
        TypeError: ``create`` is not a ``bool``.
    """
    switch("create", create)
    name = grant.identity.name
    model: Any = get_user_model()
    # Django writes names in a normal form. Another form of a name must not become that of somebody else.
    if not name or model.normalize_username(name) != name:
        return None
    # A database may refuse such a name, or cut it off.
    longest = model._meta.get_field(model.USERNAME_FIELD).max_length
    if "\0" in name or (longest is not None and len(name) > longest):
        return None
    try:
        user: AbstractBaseUser = _stored(model, name, create=create)
    except model.DoesNotExist:
        return None
    except (DataError, IntegrityError, ValidationError, ValueError) as why:
        # The text of the error may contain the name.
        _LOG.warning("the name in a grant cannot be that of a user: %s", type(why).__name__)
        return None
    # Some databases ignore case or accents when they compare.
    return user if user.get_username() == name and user.is_active else None


def _stored(model: Any, name: str, *, create: bool) -> Any:
    manager = model._default_manager
    try:
        return manager.get_by_natural_key(name)
    except model.DoesNotExist:
        if not create:
            raise
    database = router.db_for_write(model)
    try:
        with transaction.atomic(database):
            return manager.create_user(name)
    except IntegrityError as why:
        # Usually another request has created the user in the meantime.
        try:
            return manager.db_manager(database).get_by_natural_key(name)
        except model.DoesNotExist:
            raise why from None


_LOG = logging.getLogger("jwtauth")
