# The types of the extension module. What it does is documented there: help(jwtauth.Verifier).
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Literal, Protocol, TypeAlias, final, type_check_only

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
    def __new__(cls, config: Mapping[str, Any] | str) -> Verifier: ...
    def authenticate(
        self,
        token: str | None = None,
        *,
        headers: _Headers | None = None,
        url: str | None = None,
        profile: str | None = None,
        remote_addr: str | IPv4Address | IPv6Address | None = None,
    ) -> Grant: ...
    def authenticate_json(self, request: str) -> Grant: ...
    def authenticate_async(
        self,
        token: str | None = None,
        *,
        headers: _Headers | None = None,
        url: str | None = None,
        profile: str | None = None,
        remote_addr: str | IPv4Address | IPv6Address | None = None,
    ) -> Coroutine[Any, Any, Grant]: ...
    def policy(self) -> dict[str, Any]: ...
    def refresh_keys(self) -> None: ...

@final
class Grant:
    @property
    def profile(self) -> str | None: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def entitlements(self) -> tuple[Entitlement, ...]: ...
    @property
    def revocations(self) -> tuple[Entitlement, ...]: ...
    @property
    def session(self) -> Session: ...
    @property
    def cleaned_url(self) -> str | None: ...
    @property
    def claims(self) -> dict[str, Any]: ...
    @property
    def json(self) -> str: ...
    def to_dict(self) -> dict[str, Any]: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Identity:
    @property
    def name(self) -> str | None: ...
    @property
    def subject(self) -> str | None: ...
    @property
    def email(self) -> str | None: ...
    @property
    def display_name(self) -> str | None: ...
    @property
    def requested_org(self) -> int | None: ...
    @property
    def groups(self) -> tuple[str, ...]: ...
    @property
    def metadata(self) -> dict[str, str]: ...
    @property
    def lists(self) -> dict[str, tuple[str, ...]]: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Entitlement:
    def __new__(
        cls,
        kind: EntitlementKind,
        name: str,
        *,
        scope: str | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Entitlement: ...
    @property
    def kind(self) -> EntitlementKind: ...
    @property
    def name(self) -> str: ...
    @property
    def scope(self) -> str | None: ...
    @property
    def variables(self) -> dict[str, str]: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Session:
    @property
    def ttl(self) -> int | None: ...
    @property
    def max_ttl(self) -> int | None: ...
    @property
    def explicit_max_ttl(self) -> int | None: ...
    @property
    def period(self) -> int | None: ...
    @property
    def num_uses(self) -> int | None: ...
    @property
    def token_type(self) -> Literal["service", "batch"] | None: ...
    @property
    def renewable(self) -> bool | None: ...
    @property
    def bound_cidrs(self) -> tuple[str, ...]: ...
    @property
    def display_name(self) -> str | None: ...
    @property
    def local(self) -> bool | None: ...
    @property
    def auth_method(self) -> str | None: ...
    @property
    def allow_sign_up(self) -> bool | None: ...
    @property
    def sync_org_roles(self) -> bool | None: ...
    @property
    def sync_teams(self) -> bool | None: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
