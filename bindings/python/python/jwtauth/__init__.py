"""JWT authentication: who sent this token, and what may they do?

A :class:`Verifier` is built once from a configuration (Grafana's ``[auth.jwt]``, a Consul auth method with its
binding rules, a Vault jwt mount with its roles, or a native one) and then decides requests. Access is granted only if
it returns a :class:`Grant`; every failure is an :class:`Error` with a stable ``code``. :class:`Sessions` makes a session
of a grant, whose token later requests carry.

Example:
    >>> from jwtauth import Denied, Verifier
    >>> verifier = Verifier({"dialect": "native", "config": {...}})
    >>> try:
    ...     grant = verifier.authenticate(token)
    ... except Denied as why:
    ...     print("refused:", why.code, why.claim)
"""

from jwtauth._errors import ArgumentError, ConfigError, Denied, Error, InternalError, Unavailable
from jwtauth._events import Counters, DecisionEvent, Event, FetchEvent, SourceCounters, log_events
from jwtauth._explain import ExplainedPart, ExplainedStep, Hint, Seen
from jwtauth._fetch import FetchError, FetchPhase, FetchRequest, FetchResponse
from jwtauth._jwtauth import (
    Code,
    Entitlement,
    EntitlementKind,
    Explanation,
    Grant,
    Identity,
    Login,
    Session,
    SessionInfo,
    Sessions,
    Stage,
    Verifier,
    __version__,
)
from jwtauth._keys import LastFailure, SkippedKey, SourceStatus

__all__ = [
    "ArgumentError",
    "Code",
    "ConfigError",
    "Counters",
    "DecisionEvent",
    "Denied",
    "Entitlement",
    "EntitlementKind",
    "Error",
    "Event",
    "ExplainedPart",
    "ExplainedStep",
    "Explanation",
    "FetchError",
    "FetchEvent",
    "FetchPhase",
    "FetchRequest",
    "FetchResponse",
    "Grant",
    "Hint",
    "Identity",
    "InternalError",
    "LastFailure",
    "Login",
    "Seen",
    "Session",
    "SessionInfo",
    "Sessions",
    "SkippedKey",
    "SourceCounters",
    "SourceStatus",
    "Stage",
    "Unavailable",
    "Verifier",
    "__version__",
    "log_events",
]
