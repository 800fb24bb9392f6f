"""What all integrations share: find the token, decide, and say why not."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias, TypeVar

from jwtauth import Denied, Entitlement, Error, Grant, Unavailable, Verifier

Headers: TypeAlias = dict[str, "str | list[str]"]
"""Headers by their names in lower case. A repeated one has a list of values."""
Names: TypeAlias = str | Iterable[str]
Status: TypeAlias = Literal[401, 403, 500, 503]
_Function = TypeVar("_Function", bound=Callable[..., Any] | None)


class _Absent:
    """The default of an argument. ``None`` is refused, because a setting that is not there must not become no requirement."""


ABSENT: Final = _Absent()


class Requirement:
    """What a grant must have. Every argument must hold; of several names in one argument, the grant must have one.

    It reads the grant only, and never the token. ``role`` and ``policy`` are entitlements without a scope, such as those of
    native roles and policies. ``group`` is one of the caller's groups. ``entitlement`` is any entitlement, with its scope: a
    role in an organisation of Grafana, a service of Consul.

    Raises:
        TypeError: An argument is neither a name nor a collection of names. ``None`` is neither.
        ValueError: A name is empty, or a collection is.
    """

    __slots__ = ("_entitlements", "_groups", "_policies", "_roles")

    def __init__(
        self,
        *,
        role: Names | _Absent = ABSENT,
        policy: Names | _Absent = ABSENT,
        group: Names | _Absent = ABSENT,
        entitlement: Entitlement | Iterable[Entitlement] | _Absent = ABSENT,
    ) -> None:
        self._roles = _names("role", role)
        self._policies = _names("policy", policy)
        self._groups = _names("group", group)
        self._entitlements = _collection("entitlement", entitlement, Entitlement)

    def is_met_by(self, grant: Grant) -> bool:
        """Whether the grant has what is required."""
        return (
            _one_of(self._roles, lambda name: grant.has("role", name))
            and _one_of(self._policies, lambda name: grant.has("policy", name))
            and _one_of(self._groups, lambda name: name in grant.identity.groups)
            and _one_of(self._entitlements, lambda one: one in grant.entitlements)
        )

    def check(self, grant: Grant | None) -> Grant:
        """Returns the grant, if there is one and it has what is required.

        Raises:
            Refused: with 401 without a grant, with 403 if the grant is not enough.
        """
        if grant is None:
            raise Refused.missing()
        if not isinstance(grant, Grant):
            raise TypeError("only a Grant of a Verifier can meet a requirement")
        if not self.is_met_by(grant):
            raise Refused(403, "insufficient_scope", "the grant does not have what this request requires")
        return grant


def switch(name: str, value: bool) -> bool:
    """An option that is on or off. Every text would be on, also the "false" of an environment variable.

    Raises:
        TypeError: It is not a ``bool``.
    """
    if not isinstance(value, bool):
        raise TypeError(f"`{name}` must be True or False, not {type(value).__name__}")
    return value


def function(name: str, value: _Function) -> _Function:
    """An option that is a function, if there is one.

    Raises:
        TypeError: It cannot be called.
    """
    if not (value is None or callable(value)):
        raise TypeError(f"`{name}` must be a function, not {type(value).__name__}")
    return value


def demanded(requirement: Requirement | None, *, optional: bool) -> Requirement:
    """What a middleware demands of each grant.

    Raises:
        TypeError: It is not a requirement, or ``optional`` is not a ``bool``.
        ValueError: It is combined with ``optional``.
    """
    if switch("optional", optional) and requirement is not None:
        raise ValueError("`optional` lets in requests without a grant, so it cannot be combined with `requires`")
    if not (requirement is None or isinstance(requirement, Requirement)):
        raise TypeError(f"`requires` must be a result of requires(), not {type(requirement).__name__}")
    return requirement or GRANTED


class Refused(Exception):
    """A request that is not let in, as the response to it (RFC 6750, section 3).

    Nothing in it is from the token.
    """

    def __init__(
        self, status: Status, error: str | None, message: str, *, code: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.code = code
        self.message = message
        self.realm: str | None = None
        self.retry_after = retry_after

    @classmethod
    def missing(cls) -> Refused:
        """There is no token, so the challenge has no error (RFC 6750, section 3.1)."""
        return cls(401, None, "the request contains no token", code="token_missing")

    @property
    def challenge(self) -> str | None:
        """The value of ``WWW-Authenticate``."""
        if self.status not in (401, 403):
            return None
        parts = []
        if self.realm is not None:
            parts.append(f'realm="{self.realm}"')
        if self.error is not None:
            parts += [f'error="{self.error}"', f'error_description="{self.message}"']
        return f"Bearer {', '.join(parts)}".rstrip()

    @property
    def headers(self) -> dict[str, str]:
        """The headers that belong to the status."""
        headers = {}
        if self.challenge is not None:
            headers["WWW-Authenticate"] = self.challenge
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return headers

    @property
    def detail(self) -> dict[str, str]:
        """The body, before it is JSON."""
        members = {"error": self.error or "unauthorized", "code": self.code, "message": self.message}
        return {name: value for name, value in members.items() if value is not None}

    @property
    def body(self) -> bytes:
        """The body, as JSON."""
        return json.dumps(self.detail).encode()


class Authenticator:
    """Decides requests with one verifier, and turns its failures into refusals.

    Args:
        verifier: The verifier. Build it once, when the program starts.
        profile: The profile to decide under. It is trusted: never take it from a request.
        realm: The realm of challenges.
        retry_after: After how many seconds a client should try again if the keys are out of reach.
    """

    def __init__(
        self, verifier: Verifier, *, profile: str | None = None, realm: str | None = None, retry_after: int = 5
    ) -> None:
        if not isinstance(verifier, Verifier):
            raise TypeError(f"`verifier` must be a Verifier, not {type(verifier).__name__}")
        if not (profile is None or isinstance(profile, str)):
            raise TypeError(f"`profile` must be a string, not {type(profile).__name__}")
        if not (realm is None or isinstance(realm, str)):
            raise TypeError(f"`realm` must be a string, not {type(realm).__name__}")
        if realm is not None and not _REALM.fullmatch(realm):
            raise ValueError("`realm` must be printable ASCII without quotes and backslashes")
        if isinstance(retry_after, bool) or not isinstance(retry_after, int) or retry_after < 0:
            raise ValueError("`retry_after` must be a number of seconds")
        self.verifier = verifier
        self.profile = profile
        self.realm = realm
        self.retry_after = retry_after
        place: dict[str, Any] = verifier.policy()["config"].get("token") or {}
        self.header: str | None = place.get("header")
        self.query: str | None = place.get("query")
        self.cookie: str | None = place.get("cookie")
        # Vault and Consul get tokens in the body of a login, so their configurations name no place in a request.
        self.reads_bearer = self.header is None and self.query is None and self.cookie is None
        if self.reads_bearer:
            self.header = "Authorization"
        org: dict[str, Any] = place.get("requested_org") or {}
        names = (self.header, self.cookie and "cookie", org.get("header"))
        # Reading only these is faster, and changes nothing: the core ignores the other headers.
        self.header_names = frozenset(name.lower() for name in names if name)

    def decide(self, headers: Headers, url: str, remote_addr: str | None) -> Grant:
        """Decides a request, and may wait for keys.

        Raises:
            Refused: It is not granted.
        """
        try:
            return self.verifier.authenticate(**self._arguments(headers, url, remote_addr))
        except Error as why:
            raise self.refusal(why) from why

    async def decide_async(self, headers: Headers, url: str, remote_addr: str | None) -> Grant:
        """Decides a request without blocking the event loop.

        Raises:
            Refused: It is not granted.
        """
        try:
            return await self.verifier.authenticate_async(**self._arguments(headers, url, remote_addr))
        except Error as why:
            raise self.refusal(why) from why

    def may_be_from_cookie(self, headers: Headers) -> bool:
        """Whether the token of a granted request may be from a cookie, which browsers also send with requests that other sites
        cause. Only the core knows it where the cookie comes together with a token in the query: then it may be."""
        cookies, header = headers.get("cookie"), (self.header or "").lower()
        if not cookies or header == "cookie":
            return bool(cookies)
        # A header takes precedence, also one with another scheme. An empty one counts as absent.
        return self.cookie is not None and self.cookie in str(cookies) and not headers.get(header)

    def _arguments(self, headers: Headers, url: str, remote_addr: str | None) -> dict[str, Any]:
        arguments: dict[str, Any] = {"profile": self.profile, "remote_addr": remote_addr}
        if self.reads_bearer:
            arguments["token"] = _bearer(headers)
        else:
            arguments.update(headers=headers, url=url)
        return arguments

    def refusal(self, why: Error) -> Refused:
        """The response to a failure.

        The status is that of RFC 6750 and not ``http_status``, which is the status of the configured system's login: Vault's is
        400 for each denial, and Consul's is 500.
        """
        refused: Refused
        if isinstance(why, Denied):
            if why.code in _NOT_ENOUGH or why.stage == "decide":
                refused = Refused(403, "insufficient_scope", why.message, code=why.code)
            elif why.code == "token_missing":
                refused = Refused.missing()
            else:
                refused = Refused(401, "invalid_token", why.message, code=why.code)
        elif isinstance(why, Unavailable):
            refused = Refused(503, "temporarily_unavailable", why.message, code=why.code, retry_after=self.retry_after)
        else:
            # A mistake in the program or the library. It is for its log, and not for the client.
            _LOG.error("%s", why)
            refused = Refused(500, "server_error", "internal error")
        return self.signed(refused)

    def signed(self, refused: Refused) -> Refused:
        """Adds the realm to a refusal."""
        refused.realm = self.realm
        return refused


def is_missing(refused: Refused) -> bool:
    """Whether a request was refused only because it has no token."""
    return refused.code == "token_missing"


def missing_extra(module: str, extra: str, why: ImportError) -> ImportError:
    """The error for a module whose framework is not installed."""
    return ImportError(f'{module} needs {why.name or extra}: pip install "jwtauth[{extra}]"', name=why.name)


def headers_of_environ(environ: Mapping[str, Any], names: Iterable[str]) -> Headers:
    """Headers of a WSGI environment, or of Django's ``META``. A server has joined the values of a repeated header."""
    found = ((name, environ.get(f"HTTP_{name.upper().replace('-', '_')}")) for name in names)
    return {name: value for name, value in found if isinstance(value, str)}


def _bearer(headers: Headers) -> str | None:
    """The token of ``Authorization: Bearer`` (RFC 6750, section 2.1), for configurations that name no place."""
    value = headers.get("authorization", [])
    found = [value] if isinstance(value, str) else value
    if len(found) > 1:
        raise Denied("token_ambiguous", "the request contains more than one token", stage="extract", applicable=True)
    match = _BEARER.fullmatch(found[0]) if found else None
    return match and match[1]


def _names(what: str, value: Names | _Absent) -> tuple[str, ...] | None:
    names = _collection(what, value, str)
    if names is not None and "" in names:
        raise ValueError(f"`{what}` must not be empty")
    return names


def _collection(what: str, value: Any, kind: type[Any]) -> tuple[Any, ...] | None:
    if isinstance(value, _Absent):
        return None
    wanted = f"`{what}` must be of the type {kind.__name__}, or a collection of it"
    if isinstance(value, kind):
        return (value,)
    if not isinstance(value, Iterable) or isinstance(value, bytes | Mapping):
        raise TypeError(f"{wanted}, not {type(value).__name__}")
    found = tuple(value)
    for one in found:
        if not isinstance(one, kind):
            raise TypeError(f"{wanted}, with no {type(one).__name__}")
    if not found:
        raise ValueError(f"`{what}` must not be empty")
    return found


def _one_of(wanted: tuple[Any, ...] | None, has: Callable[[Any], bool]) -> bool:
    return wanted is None or any(map(has, wanted))


# As the core decides for the native configuration: the token is valid, but does not allow this. The stage `decide` is added.
_NOT_ENOUGH = frozenset({"address_not_allowed", "profile_closed", "claim_mismatch", "subject_mismatch"})
_BEARER = re.compile(r"bearer +([^ \t].*)", re.IGNORECASE | re.ASCII)
_REALM = re.compile(r"[ !#-\[\]-~]+")
_LOG = logging.getLogger("jwtauth")

GRANTED: Final = Requirement()
"""A grant, whatever it has."""
