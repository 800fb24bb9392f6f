"""What a decision costs in Python, compared with other packages: `.ci/bench-python` runs it.

Every package checks the signature, issuer, audience and times of the same token, and its claims are read. The packages take
turns in batches of about 2 ms, so that other load slows down all of them. `ratio` is the median, over all turns, of the
package's time divided by that of jwtauth in the same turn. Prints a table in Markdown; ratios that miss their goal are bold.
"""

import argparse
import base64
import importlib
import json
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from types import ModuleType

from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from jwtauth import Verifier

ISSUER = "https://id.example.com/realms/main"
AUDIENCE = "api"
# The payload of a typical access token of a provider.
PAYLOAD = (Path(__file__).parent.parent / "claims.json").read_bytes().rstrip()
BATCH = 2e-3
# How many times as long as jwtauth a package must take at least.
GOALS = {
    ("HS256", "oxyjwt"): 2.2,
    ("RS256", "oxyjwt"): 1.25,
    ("RS256", "PyJWT 2.10"): 1.9,
    ("RS256", "ryjwt"): 1.0,
}
# The most that a grant from the token cache may take, in signature checks of HS256.
HIT = 0.5


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: dict[str, str], signature: Callable[[bytes], bytes]) -> str:
    message = f"{encoded(json.dumps(header).encode())}.{encoded(PAYLOAD)}"
    return f"{message}.{encoded(signature(message.encode()))}"


class Secret:
    """A token with HS256, and its key in the form that each package wants."""

    alg = "HS256"

    def __init__(self) -> None:
        self.key = secrets.token_bytes(32)

        def tag(message: bytes) -> bytes:
            mac = hmac.HMAC(self.key, hashes.SHA256())
            mac.update(message)
            return mac.finalize()

        self.token = signed({"alg": "HS256", "typ": "JWT"}, tag)
        self.source = {"secret": encoded(self.key)}
        self.pem = self.key
        self.jwk = {"kty": "oct", "k": encoded(self.key)}


class Rsa:
    """A token with RS256, and its key in the form that each package wants."""

    alg = "RS256"

    def __init__(self) -> None:
        private = rsa.generate_private_key(65537, 2048)
        self.key = private.public_key()
        self.token = signed(
            {"alg": "RS256", "typ": "JWT"},
            lambda message: private.sign(message, padding.PKCS1v15(), hashes.SHA256()),
        )
        self.pem = self.key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.source = {"pem": self.pem.decode()}
        numbers = self.key.public_numbers()
        self.jwk = {"kty": "RSA", "n": encoded(numbers.n.to_bytes(256)), "e": "AQAB"}


Decide = Callable[[], object]


def jwtauth(made: Secret | Rsa) -> Iterator[tuple[str, Decide]]:
    config = {"keys": [made.source], "algorithms": [made.alg], "issuer": ISSUER, "audiences": [AUDIENCE]}
    verifier = Verifier({"dialect": "native", "config": config})
    cache = {"token_cache": {"max_bytes": 1 << 20, "max_ttl": "5m"}}
    remembering = Verifier({"dialect": "native", "config": config, "options": cache})
    headers = {"host": "api.example.com", "authorization": f"Bearer {made.token}", "accept": "*/*"}

    def token() -> object:
        grant = verifier.authenticate(made.token)
        return grant.identity.name, grant.claims["sub"]

    def with_headers() -> object:
        grant = verifier.authenticate(headers=headers)
        return grant.identity.name, grant.claims["sub"]

    def remembered() -> object:
        grant = remembering.authenticate(made.token)
        return grant.identity.name, grant.claims["sub"]

    yield "jwtauth", token
    yield "jwtauth, headers", with_headers
    yield "jwtauth, token cache", remembered
    yield "jwtauth, token cache, nothing read", lambda: remembering.authenticate(made.token)


def oxyjwt(made: Secret | Rsa) -> Iterator[tuple[str, Decide]]:
    module = importlib.import_module("oxyjwt")
    read = module.DecodingKey.from_secret if made.alg == "HS256" else module.DecodingKey.from_rsa_pem
    key = read(made.pem)
    yield (
        f"oxyjwt {module.__version__}",
        lambda: module.decode(made.token, key, [made.alg], audience=AUDIENCE, issuer=ISSUER)["sub"],
    )


def ryjwt(made: Secret | Rsa) -> Iterator[tuple[str, Decide]]:
    if sys.version_info < (3, 12):
        raise ImportError("ryjwt needs Python 3.12 or newer")
    module = importlib.import_module("ryjwt")
    yield "ryjwt", lambda: module.decode(made.token, made.pem, [made.alg], audience=AUDIENCE, issuer=ISSUER)["sub"]


def pyjwt(made: Secret | Rsa, folder: str | None = None) -> Iterator[tuple[str, Decide]]:
    with first_in_path(folder):
        module = alone("jwt")
    yield (
        f"PyJWT {module.__version__}",
        lambda: module.decode(made.token, made.key, [made.alg], audience=AUDIENCE, issuer=ISSUER)["sub"],
    )


def joserfc(made: Secret | Rsa) -> Iterator[tuple[str, Decide]]:
    package = importlib.import_module("joserfc")
    jwt = importlib.import_module("joserfc.jwt")
    jwk = importlib.import_module("joserfc.jwk")
    key = jwk.import_key(made.jwk)
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": AUDIENCE}, exp={"essential": True}
    )

    def decide() -> object:
        token = jwt.decode(made.token, key, algorithms=[made.alg])
        registry.validate(token.claims)
        return token.claims["sub"]

    yield f"joserfc {package.__version__}", decide


@contextmanager
def first_in_path(folder: str | None) -> Iterator[None]:
    if folder is None:
        yield
        return
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def alone(name: str) -> ModuleType:
    """Imports a package again, from the first folder of the path, beside another version of it."""
    for loaded in [module for module in sys.modules if module == name or module.startswith(f"{name}.")]:
        del sys.modules[loaded]
    return importlib.import_module(name)


class Contender:
    def __init__(self, name: str, decide: Decide) -> None:
        self.name = name
        self.decide = decide
        self.times: list[float] = []
        self.batch(200)
        self.count = max(1, round(BATCH / self.batch(500)))

    def batch(self, count: int) -> float:
        decide = self.decide
        start = time.perf_counter()
        for _ in range(count):
            decide()
        return (time.perf_counter() - start) / count


def contenders(made: Secret | Rsa, older: str | None) -> list[Contender]:
    found: list[Contender] = []
    for package in (jwtauth, oxyjwt, ryjwt, pyjwt, lambda made: pyjwt(made, older), joserfc):
        try:
            found += [Contender(name, decide) for name, decide in package(made)]
        except ImportError as error:
            print(f"left out: {error}", file=sys.stderr)
    return found


def measure(found: list[Contender], turns: int) -> None:
    for turn in range(turns):
        # Each one runs after different ones.
        order = found if turn % 2 else found[::-1]
        for place in range(len(order)):
            one = order[(place + turn) % len(order)]
            one.times.append(one.batch(one.count))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=300)
    parser.add_argument("--older-pyjwt", help="a folder with another version of PyJWT")
    parser.add_argument("--primitive", type=float, required=True, help="nanoseconds of a signature check of HS256")
    options = parser.parse_args()

    version = ".".join(map(str, sys.version_info[:3]))
    print(f"Python {version}; a payload of {len(PAYLOAD)} bytes; {options.turns} turns.\n")
    print("| | package | ns | ratio | p10–p90 | at least |\n|---|---|---|---|---|---|")
    hit = 0.0
    for made in (Secret(), Rsa()):
        found = contenders(made, options.older_pyjwt)
        measure(found, options.turns)
        for one in found:
            ratio = quantiles([time / own for time, own in zip(one.times, found[0].times, strict=True)], n=2)[0]
            tenths = [round(time * 1e9) for time in quantiles(one.times, n=10)]
            goals = [goal for (alg, name), goal in GOALS.items() if alg == made.alg and one.name.startswith(name)]
            shown = marked(ratio, all(ratio >= goal for goal in goals))
            goal = str(goals[0]) if goals else "–"
            print(f"| {made.alg} | {one.name} | {tenths[4]} | {shown} | {tenths[0]}–{tenths[8]} | {goal} |")
            if made.alg == "HS256" and one.name.endswith("nothing read"):
                hit = tenths[4]
    checks = marked(hit / options.primitive, hit / options.primitive <= HIT)
    print(f"\nA grant from the token cache, in signature checks of HS256 ({options.primitive:.0f} ns): {checks}; at most {HIT}.")


def marked(ratio: float, is_met: bool) -> str:
    return f"{ratio:.2f}" if is_met else f"**{ratio:.2f}**"


if __name__ == "__main__":
    main()
