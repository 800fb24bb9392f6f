# The types of the extension module. What it does is documented there: help(jwtauth.Verifier).
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Literal, Protocol, TypeAlias, final, type_check_only

from jwtauth._fetch import FetchRequest, FetchResponse
from jwtauth._keys import SourceStatus

__all__ = [
    "Code",
    "Entitlement",
    "EntitlementKind",
    "Grant",
    "Identity",
    "Session",
    "Stage",
    "Verifier",
    "__version__",
]

__version__: str

# Generated from the core's tables; `make generate` writes them anew.
# <generated>
Code: TypeAlias = Literal[
    "token_missing",
    "token_ambiguous",
    "authenticator_disabled",
    "profile_unknown",
    "profile_missing",
    "profile_closed",
    "address_not_allowed",
    "token_malformed",
    "token_too_large",
    "header_invalid",
    "header_unsupported",
    "algorithm_not_allowed",
    "key_not_found",
    "signature_invalid",
    "claims_malformed",
    "claim_missing",
    "claim_invalid",
    "claim_mismatch",
    "issuer_mismatch",
    "subject_mismatch",
    "audience_mismatch",
    "audience_unexpected",
    "token_not_yet_valid",
    "token_expired",
    "token_issued_in_future",
    "token_too_old",
    "lifetime_missing",
    "identity_missing",
    "identity_invalid",
    "groups_invalid",
    "mapping_failed",
    "role_unresolved",
    "role_invalid",
    "binding_invalid",
    "binding_unmatched",
    "policy_forbidden",
    "config_invalid",
    "key_source_missing",
    "key_source_conflict",
    "key_invalid",
    "algorithm_unsupported",
    "expression_invalid",
    "key_source_unavailable",
    "key_set_invalid",
    "discovery_failed",
    "discovery_issuer_mismatch",
    "argument_null",
    "argument_not_utf8",
    "request_invalid",
    "internal_error",
]
Stage: TypeAlias = Literal[
    "extract",
    "decode",
    "select_key",
    "verify_signature",
    "validate_claims",
    "map_identity",
    "decide",
    "configure",
]
EntitlementKind: TypeAlias = Literal[
    "org_role",
    "server_admin",
    "policy",
    "role",
    "service",
    "node",
    "templated_policy",
]
# </generated>

# A dict will do, and so will what web frameworks have, where a repeated header is there twice.
@type_check_only
class _Headers(Protocol):
    def items(self) -> Iterable[tuple[str, str | Sequence[str]]]: ...

@final
class Verifier:
    """Decides requests by one configuration.

    Build one when the program starts and use it from any number of threads; nothing in it changes but the keys it
    fetched. Building reads key files and compiles every expression, and opens no connection. Other threads run while
    a verifier works for longer than they need to start.

    ``fetch`` stands in for the built-in HTTP client. It takes a :class:`FetchRequest`, returns a
    :class:`FetchResponse`, and is called on the threads that authenticate, once at a time for each key source. What it
    raises is a failure to fetch: a :class:`FetchError` says in which phase and why, of any other exception only the
    name of its class is told, because its text may hold secrets. Either is the ``__cause__`` of what its caller gets.
    What is no ``Exception`` (``KeyboardInterrupt``, ``SystemExit``) goes on to the caller, whatever the decision.

    Args:
        config: The envelope ``{"dialect": ..., "config": ..., "options": ...}`` as a mapping, or as JSON text.
        fetch: A function that fetches keys in place of the built-in client; not a coroutine function.

    Raises:
        ConfigError: The configuration is not valid; ``detail`` names the key and the problem.
        TypeError: ``config`` is neither a mapping nor text, or holds what JSON cannot say; ``fetch`` cannot be called,
            or only awaited.

    Example:
        >>> verifier = Verifier({
        ...     "dialect": "native",
        ...     "config": {"keys": [{"jwks_file": "keys.json"}], "algorithms": ["RS256"], "audiences": ["api"]},
        ... })
    """

    def __new__(
        cls,
        config: Mapping[str, Any] | str,
        *,
        fetch: Callable[[FetchRequest], FetchResponse] | None = None,
    ) -> Verifier: ...
    def authenticate(
        self,
        token: str | None = None,
        *,
        headers: _Headers | None = None,
        url: str | None = None,
        profile: str | None = None,
        remote_addr: str | IPv4Address | IPv6Address | None = None,
        cached_only: bool = False,
    ) -> Grant:
        """Decides one request: returns what the caller receives, or raises.

        Give the token itself, or headers and URL to find it in, as the configuration says. A token given by itself
        wins. Everything but the token, the headers and the URL is your own word: never fill ``profile`` or
        ``remote_addr`` from what a client says.

        Args:
            token: The compact token, without ``Bearer``.
            headers: The request's headers, by any case of their names; a repeated header has a list of values.
            url: The request's URL or path with its query, for configurations that read tokens from there.
            profile: The profile to decide under; without one, the configuration's top level or default.
            remote_addr: The caller's address, as text or from the ``ipaddress`` module.
            cached_only: Fetches nothing and waits for nobody: where keys would have to be fetched first, the answer is
                ``Unavailable``.

        Returns:
            The grant. There is no other way in: every refusal is an exception.

        Raises:
            Denied: The answer is no; ``code`` says why.
            Unavailable: The keys could not be obtained, so the answer is not known.
            ArgumentError: An argument is not Unicode text, or the address is none.
            TypeError: An argument has the wrong type.

        Example:
            >>> grant = verifier.authenticate(headers={"Authorization": "Bearer eyJ..."})
            >>> grant.identity.name
            'alice'
        """
    def authenticate_json(self, request: str) -> Grant:
        """Decides one request given as the JSON of the wire format.

        Made for requests that arrive as JSON from a host of yours. Do not build the text by pasting a token into it,
        and never forward a client's body: ``profile`` and ``remote_addr`` in it are believed.

        Args:
            request: An object with any of ``token``, ``headers``, ``url``, ``profile``, ``remote_addr``,
                ``cached_only``.

        Raises:
            Denied: The answer is no; ``code`` says why.
            Unavailable: The keys could not be obtained, so the answer is not known.
            ArgumentError: The text is not such an object.

        Example:
            >>> verifier.authenticate_json('{"token": "eyJ...", "profile": "web"}').profile
            'web'
        """
    def authenticate_async(
        self,
        token: str | None = None,
        *,
        headers: _Headers | None = None,
        url: str | None = None,
        profile: str | None = None,
        remote_addr: str | IPv4Address | IPv6Address | None = None,
        cached_only: bool = False,
    ) -> Coroutine[Any, Any, Grant]:
        """Decides one request without blocking the event loop: ``await`` it.

        Takes, returns and raises what :meth:`authenticate` does. With cached keys it decides immediately, which takes
        microseconds. Where keys must be fetched, each key source gets one thread for all calls that wait for it; asyncio's
        default executor is not used. A cancelled call stops waiting, and the fetch continues.

        Example:
            >>> grant = await verifier.authenticate_async(headers=request.headers)
        """
    def policy(self) -> dict[str, Any]:
        """The policy this verifier decides by, in the native form.

        ``dialect`` and ``config`` can be given to a new verifier; ``warnings`` lists what was accepted in the
        configuration and is probably a mistake, each with ``key`` and ``message``; ``key_status`` is a
        :class:`SourceStatus` for each key source. Secrets are blotted out, so a policy with secrets says what it does
        and cannot be built from.

        Example:
            >>> for warning in verifier.policy()["warnings"]:
            ...     print(warning["key"], warning["message"])
        """
    def refresh_keys(self) -> list[SourceStatus]:
        """Fetches every key anew that comes from outside, and tells of every key source how it is then.

        Good for a check at the start of a program, and before it forks: then every process begins with keys. Keys that
        stand in the configuration or in files stay as they are.

        Returns:
            A :class:`SourceStatus` for each source, in the policy's order.

        Raises:
            Unavailable: A source did not answer, or not with keys. Every source was asked, and ``sources`` tells of each.

        Example:
            >>> [(source["url"], source["keys"]) for source in verifier.refresh_keys()]
            [('https://issuer.example/keys', 2)]
        """

@final
class Grant:
    """What a caller receives: who they are and what they may have.

    A grant cannot be changed, and its parts are made when they are first read. Two grants are equal when their
    replies are. Grants can be pickled and copied; what an unpickled grant says is as trustworthy as the place where
    it was kept.

    Example:
        >>> grant = verifier.authenticate(token)
        >>> grant.identity.name
        'alice'
        >>> Entitlement("role", "editor") in grant.entitlements
        True
    """

    @property
    def profile(self) -> str | None:
        """The profile under which it was granted; ``None`` for the configuration's top level."""
    @property
    def identity(self) -> Identity:
        """Who the caller is."""
    @property
    def entitlements(self) -> tuple[Entitlement, ...]:
        """What the caller may have."""
    @property
    def revocations(self) -> tuple[Entitlement, ...]:
        """What the caller must lose if they hold it (Grafana)."""
    @property
    def session(self) -> Session:
        """The terms of a session, where the configuration sets any."""
    @property
    def cleaned_url(self) -> str | None:
        """The request's URL without the token, where the configuration reads tokens from URLs and one was given."""
    @property
    def claims(self) -> dict[str, Any]:
        """The token's verified claims.

        Made when first read; every reading gives the same dictionary, so copy it before changing it.
        """
    @property
    def json(self) -> str:
        """The reply as JSON text: the same bytes in every language."""
    def to_dict(self) -> dict[str, Any]:
        """The reply as a new dictionary, with the members of the wire format; absent ones are left out.

        Example:
            >>> grant.to_dict()["identity"]["groups"]
            ['eng']
        """
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Identity:
    """Who the caller is.

    An attribute is ``None``, or empty, when the token says nothing there or the configuration does not ask for it.
    """

    @property
    def name(self) -> str | None:
        """The name to know the caller by; ``None`` where the configuration names nobody (Consul)."""
    @property
    def subject(self) -> str | None:
        """The token's ``sub``."""
    @property
    def email(self) -> str | None:
        """The e-mail address."""
    @property
    def display_name(self) -> str | None:
        """The name to show."""
    @property
    def requested_org(self) -> int | None:
        """The organisation the request asks to act in (Grafana)."""
    @property
    def groups(self) -> tuple[str, ...]:
        """The groups, in the token's order."""
    @property
    def metadata(self) -> dict[str, str]:
        """Mapped single values, as a new dictionary."""
    @property
    def lists(self) -> dict[str, tuple[str, ...]]:
        """Mapped lists, as a new dictionary of tuples."""
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Entitlement:
    """One thing a caller may have.

    Entitlements are equal when all their parts are, so one can be looked for by making it.

    Args:
        kind: What sort of thing: one of :data:`EntitlementKind`.
        name: Its name.
        scope: Where it holds: an organisation's id (Grafana), a datacenter (Consul).
        variables: The variables of a templated policy (Consul).

    Raises:
        ValueError: There is no such kind.

    Example:
        >>> Entitlement("policy", "web-read") in grant.entitlements
        True
    """

    def __new__(
        cls,
        kind: EntitlementKind,
        name: str,
        *,
        scope: str | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Entitlement: ...
    @property
    def kind(self) -> EntitlementKind:
        """What sort of thing it is."""
    @property
    def name(self) -> str:
        """Its name."""
    @property
    def scope(self) -> str | None:
        """Where it holds: an organisation's id (Grafana), a datacenter (Consul); ``None``: everywhere."""
    @property
    def variables(self) -> dict[str, str]:
        """The variables of a templated policy (Consul), as a new dictionary."""
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Session:
    """The terms of a session; an attribute is ``None`` when the configuration does not set it."""

    @property
    def ttl(self) -> int | None:
        """Seconds until it ends; ``None``: it does not end by itself."""
    @property
    def max_ttl(self) -> int | None:
        """Seconds beyond which it cannot be renewed."""
    @property
    def explicit_max_ttl(self) -> int | None:
        """Seconds after which it ends, whatever else is said."""
    @property
    def period(self) -> int | None:
        """Seconds that each renewal adds to a periodic session."""
    @property
    def num_uses(self) -> int | None:
        """How often it can be used; ``None``: without limit."""
    @property
    def token_type(self) -> Literal["service", "batch"] | None:
        """``service`` or ``batch`` (Vault)."""
    @property
    def renewable(self) -> bool | None:
        """Whether it can be renewed."""
    @property
    def bound_cidrs(self) -> tuple[str, ...]:
        """The networks it can be used from; empty: any."""
    @property
    def display_name(self) -> str | None:
        """The session's own display name (Vault: with the mount's prefix)."""
    @property
    def local(self) -> bool | None:
        """Whether it is good in one datacenter only (Consul)."""
    @property
    def auth_method(self) -> str | None:
        """The auth method's name (Consul)."""
    @property
    def allow_sign_up(self) -> bool | None:
        """Whether an unknown user may be created (Grafana)."""
    @property
    def sync_org_roles(self) -> bool | None:
        """Whether to set the user's organisation roles (Grafana)."""
    @property
    def sync_teams(self) -> bool | None:
        """Whether to set the user's teams (Grafana)."""
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
