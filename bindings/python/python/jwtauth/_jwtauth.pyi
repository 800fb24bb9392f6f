# The types of the extension module. The docstrings are copied from the module.
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from os import PathLike
from typing import Any, Literal, Protocol, TypeAlias, TypeVar, final, overload, type_check_only

from jwtauth._errors import Error
from jwtauth._events import Counters, Event
from jwtauth._explain import ExplainedStep, Hint
from jwtauth._fetch import FetchRequest, FetchResponse
from jwtauth._keys import SourceStatus

__all__ = [
    "Code",
    "Entitlement",
    "EntitlementKind",
    "Explanation",
    "Grant",
    "Identity",
    "Login",
    "Session",
    "SessionInfo",
    "Sessions",
    "Stage",
    "Verifier",
    "__version__",
]

__version__: str

_C = TypeVar("_C")

# Generated from the core's tables; `make generate` writes this part.
# <generated>
_DecisionCode: TypeAlias = Literal[
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
_DecisionStage: TypeAlias = Literal[
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

# Generated from the table of sessions, in the same way.
# <generated sessions>
_SessionCode: TypeAlias = Literal[
    "session_unknown",
    "session_address_not_allowed",
    "session_not_renewable",
    "session_past_max_ttl",
    "session_profile_unknown",
    "batch_token_limited",
    "sessions_invalid",
    "sessions_unsupported",
    "batch_key_missing",
    "store_version",
    "store_unavailable",
    "store_refused",
    "store_full",
    "session_request_invalid",
    "session_entry_invalid",
    "session_internal_error",
]
# </generated sessions>

Code: TypeAlias = Literal[_DecisionCode, _SessionCode]
Stage: TypeAlias = Literal[_DecisionStage, "session"]

_Verb: TypeAlias = Literal[
    "login", "lookup", "lookup_accessor", "renew", "revoke", "revoke_accessor", "revoke_all", "authorize", "sweep"
]

# A dict, or the header collections of web frameworks, in which a repeated header appears more than once.
@type_check_only
class _Headers(Protocol):
    def items(self) -> Iterable[tuple[str, str | Sequence[str]]]: ...

@final
class Verifier:
    """Decides requests by one configuration.

    Build one when the program starts and use it from any number of threads. It is immutable, except for the keys it
    fetched. Building it reads key files and compiles every expression; it opens no connection. The GIL is released
    for decisions that take longer than a thread switch, and for every fetch.

    ``fetch`` replaces the built-in HTTP client. It takes a :class:`FetchRequest` and returns a :class:`FetchResponse`.
    It is called on the authenticating thread or on another one, never concurrently for one key source. If it raises
    :class:`FetchError`, the phase and the reason appear in the error. For any other ``Exception`` only the class name
    appears, because the message may contain secrets. In both cases the exception is the ``__cause__`` of the caller's
    error. ``KeyboardInterrupt`` and ``SystemExit`` propagate to the caller, also when the decision is a grant.

    Ctrl-C and other signals interrupt a call on the main thread that waits for keys. With the built-in client, the fetch
    continues on another thread, and its keys are cached.

    Args:
        config: The envelope ``{"dialect": ..., "config": ..., "options": ...}`` as a mapping, or as JSON text.
        fetch: A function that replaces the built-in client; it must not be a coroutine function.
        on_event: A function that gets a :class:`DecisionEvent` for each decision and a :class:`FetchEvent` for each fetch,
            such as :func:`log_events`. It is called on the thread that decides or fetches, so it should not wait. What it
            raises changes no decision and goes to ``sys.unraisablehook``. It must not be a coroutine function.

    Raises:
        ConfigError: The configuration is invalid; ``detail`` names the key and the problem.
        TypeError: ``config`` is neither a mapping nor text, or contains a value that JSON cannot represent; ``fetch`` or
            ``on_event`` is not callable, or is a coroutine function.

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
        on_event: Callable[[Event], object] | None = None,
    ) -> Verifier: ...
    @staticmethod
    def from_file(
        path: str | PathLike[str],
        *,
        fetch: Callable[[FetchRequest], FetchResponse] | None = None,
        on_event: Callable[[Event], object] | None = None,
    ) -> Verifier:
        """Builds a verifier from a file: a configuration as JSON, or a ``grafana.ini``.

        Relative paths in it start in the folder of the file, unless it sets ``base_dir``.

        Args:
            path: The file. It is a ``grafana.ini`` if the name ends in ``.ini``.
            fetch: As for the constructor.
            on_event: As for the constructor.

        Raises:
            ConfigError: The configuration is invalid, or the file cannot be read; ``detail`` names the file.
            TypeError: ``path`` is not a path; ``fetch`` or ``on_event`` is not callable, or is a coroutine function.
        """
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
        """Decides one request: returns the grant, or raises.

        Pass the token itself, or the headers and the URL from which the configuration reads it. ``token`` takes
        precedence. All other arguments are trusted: never fill ``profile`` or ``remote_addr`` with data from the
        client.

        Args:
            token: The compact token, without ``Bearer``.
            headers: The request's headers; names are case-insensitive, and a repeated header has a list of values.
            url: The request's URL or path with its query, for configurations that read tokens from the query.
            profile: The profile to decide under; without one, the configuration's top level or default.
            remote_addr: The caller's address, as text or from the ``ipaddress`` module. It is used only where the
                configuration binds networks, and any other text is then denied. Behind a proxy, pass the client's address:
                the library does not read ``X-Forwarded-For``.
            cached_only: Decide with the cached keys, without a fetch and without waiting. If there are none, raise
                ``Unavailable``.

        Returns:
            The grant. Every failure is an exception.

        Raises:
            Denied: The request is denied; ``code`` gives the reason.
            Unavailable: The keys could not be fetched, so there is no decision.
            ArgumentError: An argument is invalid Unicode.
            TypeError: An argument has the wrong type.

        Example:
            >>> grant = verifier.authenticate(headers={"Authorization": "Bearer eyJ..."})
            >>> grant.identity.name
            'alice'
        """
    def authenticate_json(self, request: str) -> Grant:
        """Decides one request given as the JSON of the wire format.

        For requests that arrive as JSON from another part of your application. Do not paste a token into the text, and
        never forward a client's body: ``profile`` and ``remote_addr`` in it are trusted.

        Args:
            request: An object with any of ``token``, ``headers``, ``url``, ``profile``, ``remote_addr``,
                ``cached_only``.

        Raises:
            Denied: The request is denied; ``code`` gives the reason.
            Unavailable: The keys could not be fetched, so there is no decision.
            ArgumentError: The text is not such an object.

        Example:
            >>> verifier.authenticate_json('{"token": "eyJ...", "profile": "web"}').profile
            'web'
        """
    def authenticate_many(
        self,
        tokens: Iterable[str],
        *,
        profile: str | None = None,
        remote_addr: str | IPv4Address | IPv6Address | None = None,
        cached_only: bool = False,
        threads: int | None = None,
    ) -> list[Grant | Error]:
        """Decides many tokens on several threads, for audits of logs and for queues.

        Failures are elements of the list and are not raised, as with ``asyncio.gather(return_exceptions=True)``. So test
        every element: only ``isinstance(outcome, Grant)`` is a grant. Each outcome is that of :meth:`authenticate` for the
        token. The GIL is released. Keys that the tokens lack are fetched once for all of them. In a program with an event
        loop, use ``asyncio.to_thread``.

        Args:
            tokens: The compact tokens, without ``Bearer``. All of them are read before the first is decided.
            profile: As for :meth:`authenticate`, for all tokens.
            remote_addr: As for :meth:`authenticate`, for all tokens.
            cached_only: As for :meth:`authenticate`, for all tokens.
            threads: The number of threads at most; without one, the number of cores.

        Returns:
            For each token, in their order, the grant or the exception.

        Raises:
            ArgumentError: ``profile`` or ``remote_addr`` is invalid Unicode.
            TypeError: ``tokens`` is not an iterable of ``str``, or is itself a ``str``; another argument has the wrong type.
            ValueError: ``threads`` is less than 1.

        Example:
            >>> outcomes = verifier.authenticate_many(tokens)
            >>> [outcome.identity.name for outcome in outcomes if isinstance(outcome, Grant)]
            ['alice', 'bob']
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
    def explain(
        self,
        token: str | None = None,
        *,
        headers: _Headers | None = None,
        url: str | None = None,
        profile: str | None = None,
        remote_addr: str | IPv4Address | IPv6Address | None = None,
        cached_only: bool = False,
        show_values: bool = False,
    ) -> Explanation:
        """Decides one request, and explains the decision.

        Takes the arguments of :meth:`authenticate`, and raises no exception for a denial or another failure of the decision:
        that is the ``decision`` of the explanation. It counts as a decision, so it may fetch keys.

        Args:
            token: As for :meth:`authenticate`, like the arguments that follow.
            show_values: Whether the steps contain values of the token and of the request. Otherwise they contain only types and
                lengths. A signature is never shown. The decision of a granted request contains the claims in both cases.

        Raises:
            TypeError: An argument has the wrong type.

        Example:
            >>> why = verifier.explain(token)
            >>> [step["text"] for step in why.steps if step["outcome"] == "failed"]
            ['the token has expired (claim "exp"): 12 s ago']
        """
    def explain_json(self, request: str, *, show_values: bool = False) -> Explanation:
        """Decides one request given as the JSON of the wire format, and explains the decision.

        See :meth:`authenticate_json` and :meth:`explain`. A text that is not a request is explained too.

        Raises:
            TypeError: An argument has the wrong type.

        Example:
            >>> verifier.explain_json("{").decision.code
            'request_invalid'
        """
    def explain_async(
        self,
        token: str | None = None,
        *,
        headers: _Headers | None = None,
        url: str | None = None,
        profile: str | None = None,
        remote_addr: str | IPv4Address | IPv6Address | None = None,
        cached_only: bool = False,
        show_values: bool = False,
    ) -> Coroutine[Any, Any, Explanation]:
        """Decides one request without blocking the event loop, and explains the decision: ``await`` it.

        Takes and returns what :meth:`explain` does. Where keys must be fetched, it waits as :meth:`authenticate_async` does.

        Example:
            >>> why = await verifier.explain_async(headers=request.headers)
        """
    def policy(self) -> dict[str, Any]:
        """The policy of this verifier.

        Every dialect is translated to the native form. ``Verifier`` accepts the reply, and the new verifier decides in the
        same way. Secrets are printed as ``(redacted)``, which is refused: put the secrets back first. ``warnings`` lists
        probable mistakes in the configuration, each with ``rule``, ``key`` and ``message``. ``key_status`` has a
        :class:`SourceStatus` for each key source.

        Example:
            >>> for warning in verifier.policy()["warnings"]:
            ...     print(warning["key"], warning["message"])
        """
    def counters(self) -> Counters:
        """What this verifier has done since it was built. It is counted also without ``on_event``.

        Returns:
            A new :class:`Counters`: ``granted``, ``denied`` and ``unavailable`` by code, and the fetches of each source.

        Example:
            >>> verifier.counters()["denied"].get("token_expired", 0)
            3
        """
    def refresh_keys(self) -> list[SourceStatus]:
        """Fetches the keys of every remote key source now, and returns the status of every source.

        Call it when a program starts, as a check, and before it forks, so that every process starts with cached keys.
        Keys in the configuration and in files are not reloaded.

        Returns:
            A :class:`SourceStatus` for each source, in the policy's order.

        Raises:
            Unavailable: A source did not deliver keys. Every source was tried; ``sources`` has the status of each.

        Example:
            >>> [(source["url"], source["keys"]) for source in verifier.refresh_keys()]
            [('https://issuer.example/keys', 2)]
        """

@final
class Explanation:
    """A decision, and every check that led to it.

    It is for people and logs. It is true if the request is granted.

    Example:
        >>> for step in verifier.explain(token).steps:
        ...     print(step["outcome"], step["text"])
    """

    @property
    def decision(self) -> Grant | Error:
        """The decision: the grant, or the exception that :meth:`Verifier.authenticate` raises. Only
        ``isinstance(decision, Grant)`` is a grant.
        """
    @property
    def steps(self) -> list[ExplainedStep]:
        """The checks, in order. After a failure, those that were not reached.

        The list is created on first access and is shared afterwards. Copy it before changing it.
        """
    @property
    def hints(self) -> list[Hint]:
        """What to change, where the failure has a usual cause. The list is shared, as that of the steps."""
    @property
    def json(self) -> str:
        """The explanation as JSON text: the same bytes in every language."""
    def to_dict(self) -> dict[str, Any]:
        """The explanation as a new dictionary, with the members of the wire format.

        Example:
            >>> verifier.explain("a.b.c").to_dict()["decision"]["code"]
            'token_malformed'
        """
    def __bool__(self) -> bool: ...

@final
class Grant:
    """A grant: who the caller is and what the caller may have.

    A grant is immutable. Its parts are created on first access. Two grants are equal if their replies are equal.
    Grants can be pickled and copied. An unpickled grant is only as trustworthy as the place where it was stored.

    Example:
        >>> grant = verifier.authenticate(token)
        >>> grant.identity.name
        'alice'
        >>> grant.has("role", "editor")
        True
    """

    @property
    def profile(self) -> str | None:
        """The profile that granted the request; ``None`` for the configuration's top level."""
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
        """The terms of a session, if the configuration sets any."""
    @property
    def cleaned_url(self) -> str | None:
        """The request's URL without the token, if the configuration reads tokens from URLs and this URL has one."""
    @property
    def claims(self) -> dict[str, Any]:
        """The token's verified claims.

        The dictionary is created on first access and is shared afterwards. Copy it before changing it.
        """
    def has(self, kind: EntitlementKind, name: str, scope: str | None = None) -> bool:
        """Whether the grant has an entitlement.

        Without ``scope`` it finds only entitlements that are valid everywhere. One with variables (a templated policy)
        is never found.

        Args:
            kind: The kind, such as ``"role"``.
            name: The name.
            scope: The organisation's id, or the datacenter.

        Example:
            >>> grant.has("role", "editor")
            True
        """
    def claims_as(self, type: type[_C], /) -> _C:
        """The token's verified claims, with a type of your own for type checkers.

        It returns :attr:`claims` unchanged: the issuer promises the type, and the library does not check it. Write
        ``claims`` rules into the configuration for what must be checked.

        Example:
            >>> grant.claims_as(dict)["sub"]
            'u-17'
        """
    @property
    def json(self) -> str:
        """The reply as JSON text: the same bytes in every language."""
    def to_dict(self) -> dict[str, Any]:
        """The reply as a new dictionary, with the members of the wire format; absent members are left out.

        Example:
            >>> grant.to_dict()["identity"]["groups"]
            ['eng']
        """
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Identity:
    """Who the caller is.

    An attribute is ``None`` or empty if the token has no such value or the configuration does not map it.
    """

    @property
    def name(self) -> str | None:
        """The caller's user name; ``None`` if the configuration maps no name (Consul)."""
    @property
    def subject(self) -> str | None:
        """The token's ``sub``."""
    @property
    def email(self) -> str | None:
        """The e-mail address."""
    @property
    def display_name(self) -> str | None:
        """The display name."""
    @property
    def requested_org(self) -> int | None:
        """The organisation that the request selects (Grafana)."""
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

    Entitlements are equal if all their parts are equal. To look for one, create it and use ``in``.

    Args:
        kind: The kind: one of :data:`EntitlementKind`.
        name: The name.
        scope: Where it applies: an organisation's id (Grafana), a datacenter (Consul).
        variables: The variables of a templated policy (Consul).

    Raises:
        ValueError: The kind is unknown.

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
        """The kind of entitlement."""
    @property
    def name(self) -> str:
        """The name."""
    @property
    def scope(self) -> str | None:
        """Where it applies: an organisation's id (Grafana), a datacenter (Consul); ``None``: everywhere."""
    @property
    def variables(self) -> dict[str, str]:
        """The variables of a templated policy (Consul), as a new dictionary."""
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Session:
    """The terms of a session; an attribute is ``None`` if the configuration does not set it."""

    @property
    def ttl(self) -> int | None:
        """Seconds until the session expires; ``None``: it does not expire."""
    @property
    def max_ttl(self) -> int | None:
        """Maximum lifetime with renewals, in seconds."""
    @property
    def explicit_max_ttl(self) -> int | None:
        """Hard limit of the lifetime in seconds; it takes precedence over all other limits."""
    @property
    def period(self) -> int | None:
        """Seconds that each renewal adds to a periodic session."""
    @property
    def num_uses(self) -> int | None:
        """How often the session can be used; ``None``: without limit."""
    @property
    def token_type(self) -> Literal["service", "batch"] | None:
        """``service`` or ``batch`` (Vault)."""
    @property
    def renewable(self) -> bool | None:
        """Whether the session can be renewed."""
    @property
    def bound_cidrs(self) -> tuple[str, ...]:
        """The networks from which the session can be used; empty: any."""
    @property
    def display_name(self) -> str | None:
        """The session's display name (Vault: with the mount's prefix)."""
    @property
    def local(self) -> bool | None:
        """Whether the session is valid in one datacenter only (Consul)."""
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

@final
class Sessions:
    """Makes sessions for the tokens that a verifier grants, checks the tokens of the sessions, and ends sessions.

    Build them when the program starts and use them from any number of threads. Building opens no connection to the store.
    The member ``sessions`` of the configuration names the store; without it, the sessions are in the memory of the process.
    The GIL is released where a verb may wait for a store. Forked children use Redis with connections of their own. Sessions
    in memory belong to the process that used them first, and so does SQLite: in children that it forks later, every verb
    raises ``Unavailable``.

    Each verb has a form for event loops, such as :meth:`authorize_async`: ``await`` it. Where it may wait for the store, it
    runs on a thread of these sessions. A call that is cancelled while it waits only stops waiting: the verb has its effect.

    Args:
        config: The envelope ``{"dialect": ..., "config": ..., "options": ..., "sessions": ...}`` as a mapping, or as JSON
            text.
        fetch: As for :class:`Verifier`.
        on_event: As for :class:`Verifier`; it gets the decisions of logins.

    Raises:
        ConfigError: The configuration is invalid; ``detail`` names the key and the problem.
        TypeError: As for :class:`Verifier`.

    Example:
        >>> sessions = Sessions({"dialect": "vault", "config": {...}, "sessions": {"store": {"sqlite": {"path": "s.db"}}}})
        >>> login = sessions.login(jwt, profile="web")
        >>> sessions.authorize(login.token).has("policy", "web-read")
        True
        >>> sessions.revoke(login.token)
    """

    def __new__(
        cls,
        config: Mapping[str, Any] | str,
        *,
        fetch: Callable[[FetchRequest], FetchResponse] | None = None,
        on_event: Callable[[Event], object] | None = None,
    ) -> Sessions: ...
    @staticmethod
    def from_file(
        path: str | PathLike[str],
        *,
        fetch: Callable[[FetchRequest], FetchResponse] | None = None,
        on_event: Callable[[Event], object] | None = None,
    ) -> Sessions:
        """Builds sessions from a file with a configuration as JSON.

        Relative paths in it start in the folder of the file, unless it sets ``base_dir``.

        Args:
            path: The file.
            fetch: As for the constructor.
            on_event: As for the constructor.

        Raises:
            ConfigError: The configuration is invalid, or the file cannot be read; ``detail`` names the file.
            TypeError: ``path`` is not a path; ``fetch`` or ``on_event`` is not callable, or is a coroutine function.
        """
    @property
    def verifier(self) -> Verifier:
        """The verifier that decides the logins, for ``policy``, ``counters`` and ``refresh_keys``."""
    def login(
        self,
        token: str | None = None,
        *,
        headers: _Headers | None = None,
        url: str | None = None,
        profile: str | None = None,
        remote_addr: str | IPv4Address | IPv6Address | None = None,
        cached_only: bool = False,
        meta: Mapping[str, str] | None = None,
    ) -> Login:
        """Decides a login, and makes a session for what it grants.

        Args:
            token: As for :meth:`Verifier.authenticate`, like the arguments that follow.
            meta: Texts by name that are kept with the session (Consul).

        Returns:
            The session and its token. Give the token to the client, which sends it with later requests.

        Raises:
            Denied: The login is denied; ``code`` gives the reason.
            Unavailable: The keys could not be fetched, or the store cannot keep the session. Then no token exists.
            ArgumentError: An argument is invalid Unicode.
            TypeError: An argument has the wrong type.

        Example:
            >>> login = sessions.login(headers={"Authorization": "Bearer eyJ..."})
            >>> login.session.subject
            'alice'
        """
    def login_async(
        self,
        token: str | None = None,
        *,
        headers: _Headers | None = None,
        url: str | None = None,
        profile: str | None = None,
        remote_addr: str | IPv4Address | IPv6Address | None = None,
        cached_only: bool = False,
        meta: Mapping[str, str] | None = None,
    ) -> Coroutine[Any, Any, Login]:
        """Decides a login without blocking the event loop, and makes a session: ``await`` it.

        Takes, returns and raises what :meth:`login` does. Keys are fetched as by :meth:`Verifier.authenticate_async`. If the
        call is cancelled while it waits for keys, there is no session. If it is cancelled while it waits for the store, the
        session exists, and its token is lost.
        """
    def authorize(
        self, token: str, remote_addr: str | IPv4Address | IPv6Address | None = None
    ) -> SessionInfo:
        """Checks the token of a later request, and counts a use off if the session's uses are counted.

        The last use passes, and ends the session. A request from another network uses nothing.

        Args:
            token: The session's token.
            remote_addr: The caller's address, as text or from the ``ipaddress`` module, perhaps with a port. It is trusted,
                and used only where the session is bound to networks; any other text is then denied.

        Returns:
            The session. Every failure is an exception.

        Raises:
            Denied: There is no such session (``session_unknown``), or it cannot be used from this address
                (``session_address_not_allowed``).
            Unavailable: The store does not answer, so nothing is known about the session. A use may have been counted off.
            ArgumentError: An argument is invalid Unicode.
            TypeError: An argument has the wrong type.

        Example:
            >>> sessions.authorize(token, remote_addr="10.0.0.1").subject
            'alice'
        """
    def authorize_async(
        self, token: str, remote_addr: str | IPv4Address | IPv6Address | None = None
    ) -> Coroutine[Any, Any, SessionInfo]:
        """:meth:`authorize` for event loops."""
    def lookup(self, token: str) -> SessionInfo:
        """Looks a session up by its token. It counts no use, and checks no network.

        To decide a request, use :meth:`authorize`: :meth:`SessionInfo.has` only says what the session contains.

        Raises:
            Denied: There is no such session.
            Unavailable: The store does not answer.
        """
    def lookup_async(self, token: str) -> Coroutine[Any, Any, SessionInfo]:
        """:meth:`lookup` for event loops."""
    def lookup_accessor(self, accessor: str) -> SessionInfo:
        """Looks a session up by its accessor. See :meth:`lookup`."""
    def lookup_accessor_async(self, accessor: str) -> Coroutine[Any, Any, SessionInfo]:
        """:meth:`lookup_accessor` for event loops."""
    def renew(self, token: str, increment: int = 0) -> Login:
        """Renews a session: it lasts longer, by the times of its profile as it is now.

        Args:
            token: The session's token.
            increment: The wish for the new lease in seconds; zero leaves it to the profile.

        Raises:
            Denied: There is no such session, or it cannot be renewed; ``code`` gives the reason.
            Unavailable: The store does not answer.
            ValueError: ``increment`` is negative, or has more than 64 bits.
        """
    def renew_async(self, token: str, increment: int = 0) -> Coroutine[Any, Any, Login]:
        """:meth:`renew` for event loops."""
    def revoke(self, token: str) -> None:
        """Ends a session: a logout. Every later use of its token is denied, in all processes.

        Raises:
            Denied: There is no such session, or the token is a batch token, which cannot be revoked.
            Unavailable: The store does not answer. The session may still exist.
        """
    def revoke_async(self, token: str) -> Coroutine[Any, Any, None]:
        """:meth:`revoke` for event loops."""
    def revoke_accessor(self, accessor: str) -> None:
        """Ends the session with this accessor. See :meth:`revoke`."""
    def revoke_accessor_async(self, accessor: str) -> Coroutine[Any, Any, None]:
        """:meth:`revoke_accessor` for event loops."""
    @overload
    def revoke_all(self, *, profile: str, subject: None = None) -> int:
        """Ends all sessions of a profile or of a subject that exist now. It does not reach batch tokens.

        Args:
            profile: The profile of the logins; empty for the configuration's top level. In Consul, the auth method's name.
            subject: The subject (:attr:`SessionInfo.subject`).

        Returns:
            The number of ended sessions.

        Raises:
            Unavailable: The store does not answer. Some sessions may have ended; another call ends the others.
            ArgumentError: Not exactly one of ``profile`` and ``subject`` is given.
        """
    @overload
    def revoke_all(self, *, profile: None = None, subject: str) -> int:
        """Ends all sessions of a profile or of a subject that exist now. It does not reach batch tokens.

        Args:
            profile: The profile of the logins; empty for the configuration's top level. In Consul, the auth method's name.
            subject: The subject (:attr:`SessionInfo.subject`).

        Returns:
            The number of ended sessions.

        Raises:
            Unavailable: The store does not answer. Some sessions may have ended; another call ends the others.
            ArgumentError: Not exactly one of ``profile`` and ``subject`` is given.
        """
    @overload
    def revoke_all_async(self, *, profile: str, subject: None = None) -> Coroutine[Any, Any, int]:
        """:meth:`revoke_all` for event loops."""
    @overload
    def revoke_all_async(self, *, profile: None = None, subject: str) -> Coroutine[Any, Any, int]:
        """:meth:`revoke_all` for event loops."""
    def sweep(self) -> int:
        """Removes what has ended, and returns the number of removed entries. Redis does this on its own.

        Raises:
            Unavailable: The store does not answer.
        """
    def sweep_async(self) -> Coroutine[Any, Any, int]:
        """:meth:`sweep` for event loops."""
    def reload(self, config: Mapping[str, Any] | str) -> Sessions:
        """Builds sessions from a changed configuration that keep the store of these, and so every session.

        The new ones have the same ``fetch`` and ``on_event``. These stay usable.

        Args:
            config: As for the constructor. The dialect and ``sessions.store`` must not change. Relative paths start where those
                of the old configuration start: in the folder of its file, after :meth:`from_file`.

        Raises:
            ConfigError: The configuration is invalid.
        """
    def reload_async(self, config: Mapping[str, Any] | str) -> Coroutine[Any, Any, Sessions]:
        """:meth:`reload` for event loops."""
    def call_json(self, verb: _Verb, request: str | None = None) -> str:
        """Does a verb in the JSON form that all languages share.

        Args:
            verb: The name of a method of this class, such as ``"login"``; ``"reload"`` is not one of these verbs.
            request: The request as JSON. It is trusted, as the arguments of the method are.

        Returns:
            The reply as one line of JSON. A failure is a reply whose ``outcome`` is ``"failed"``.

        Raises:
            ValueError: There is no such verb.
            ArgumentError: An argument is invalid Unicode.
            TypeError: An argument has the wrong type.

        Example:
            >>> sessions.call_json("revoke_all", '{"subject": "alice"}')
            '{"outcome":"revoked","count":2}'
        """
    def call_json_async(self, verb: _Verb, request: str | None = None) -> Coroutine[Any, Any, str]:
        """:meth:`call_json` for event loops."""

@final
class Login:
    """A session that began or was renewed, with its token.

    It cannot be changed or pickled, and ``repr`` shows nothing from it.

    Example:
        >>> login = sessions.login(token)
        >>> login.session.ttl
        3600
    """

    @property
    def token(self) -> str:
        """The token that later requests carry. It is not stored anywhere else."""
    @property
    def accessor(self) -> str | None:
        """The accessor: it looks up and revokes the session, and cannot be used instead of the token. ``None``: a batch token."""
    @property
    def session(self) -> SessionInfo:
        """The session."""
    @property
    def response(self) -> dict[str, Any]:
        """What the configured system answers to such a login: the envelope with ``auth`` (Vault), the ACL token (Consul), or
        the library's own form. It contains the token.

        The dictionary is created on first access and is shared afterwards. Copy it before changing it.
        """

@final
class SessionInfo:
    """A session that had not ended when it was looked up: who the caller is, and what the caller may have.

    It contains neither the token nor the accessor. It is a copy: look the session up again for its current state. Two of them
    are equal if all their attributes are.

    Example:
        >>> session = sessions.authorize(token)
        >>> session.subject, session.has("role", "editor")
        ('alice', True)
    """

    @property
    def type(self) -> Literal["service", "batch"]:
        """``service``, or ``batch`` for a token that has no entry in the store."""
    @property
    def profile(self) -> str | None:
        """The profile of the login; ``None`` for the configuration's top level."""
    @property
    def subject(self) -> str:
        """Who the session belongs to: ``identity.name``, or the token's ``sub`` if the configuration maps no name."""
    @property
    def display_name(self) -> str | None:
        """The display name (Vault: with the mount's prefix)."""
    @property
    def entity_id(self) -> str:
        """An id that is the same for all sessions of a subject, in all stores."""
    @property
    def identity(self) -> Identity:
        """Who the caller is."""
    @property
    def entitlements(self) -> tuple[Entitlement, ...]:
        """What the caller may have."""
    @property
    def revocations(self) -> tuple[Entitlement, ...]:
        """What the caller must lose if they hold it."""
    @property
    def issued_at(self) -> int:
        """When the session was issued, in seconds since 1970."""
    @property
    def expires_at(self) -> int | None:
        """When it ends, unless it is renewed, in seconds since 1970; ``None``: it does not end on its own."""
    @property
    def ttl(self) -> int | None:
        """The seconds until then when it was looked up, rounded up."""
    @property
    def creation_ttl(self) -> int | None:
        """The lease that the login set, in seconds."""
    @property
    def explicit_max_ttl(self) -> int | None:
        """Hard limit of the lifetime in seconds."""
    @property
    def period(self) -> int | None:
        """Seconds that each renewal adds to a periodic session."""
    @property
    def num_uses(self) -> int | None:
        """How often the session can be used; ``None``: without limit."""
    @property
    def uses_left(self) -> int | None:
        """How many uses are left; ``None``: uses are not counted."""
    @property
    def renewable(self) -> bool:
        """Whether :meth:`Sessions.renew` can succeed."""
    @property
    def bound_cidrs(self) -> tuple[str, ...]:
        """The networks from which the session can be used; empty: any."""
    @property
    def description(self) -> str | None:
        """The description of the token (Consul)."""
    @property
    def auth_method(self) -> str | None:
        """The auth method's name (Consul)."""
    @property
    def local(self) -> bool | None:
        """Whether the session is valid in one datacenter only (Consul)."""
    def has(self, kind: EntitlementKind, name: str, scope: str | None = None) -> bool:
        """Whether the session has an entitlement.

        Without ``scope`` it finds only entitlements that are valid everywhere. One with variables (a templated policy)
        is never found.

        Args:
            kind: The kind, such as ``"role"``.
            name: The name.
            scope: The organisation's id, or the datacenter.

        Example:
            >>> session.has("role", "editor")
            True
        """
    def to_dict(self) -> dict[str, Any]:
        """The session as a new dictionary, with the members of the wire format; absent members are left out.

        Example:
            >>> session.to_dict()["identity"]["groups"]
            ['eng']
        """
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
