"""Makes the files of tests/cost/cases: `python3 tests/cost/make_cases.py JWTAUTH`, with the program as built.

The tokens are stored, because the number of instructions that a check of ECDSA takes depends on the signature.
"""

import base64
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEYS = ROOT / "tests/conformance/keys"
CLAIMS = ROOT / "benches/claims.json"
PRIVATE = {
    "HS256": "hmac256-1.secret",
    "RS256": "rsa-1.private.pem",
    "PS256": "rsa-1.private.pem",
    "ES256": "ec256-1.private.pem",
    "ES384": "ec384-1.private.pem",
    "ES512": "ec521-1.private.pem",
    "EdDSA": "ed25519-1.private.pem",
}
ROLE = "contains(groups, '/staff/admins') && 'Admin' || contains(groups, '/staff/engineering') && 'Editor' || 'Viewer'"


def output(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def token(alg: str) -> str:
    return output(sys.argv[1], "sign", "--alg", alg, "--key", KEYS / PRIVATE[alg], "--claims", f"@{CLAIMS}")


def source(alg: str) -> dict[str, str]:
    key = KEYS / PRIVATE[alg]
    if alg == "HS256":
        return {"secret": base64.urlsafe_b64encode(key.read_bytes()).rstrip(b"=").decode()}
    return {"pem": output("openssl", "pkey", "-pubout", "-in", key)}


def write(name: str, alg: str, token: str, outcome: str = "granted", **more: object) -> None:
    config = {
        "keys": [source(alg)],
        "algorithms": [alg],
        "issuer": "https://id.example.com/realms/main",
        "audiences": ["api"],
        "identity": {"name": "sub"},
    }
    options = more.pop("options", {})
    envelope = {"dialect": "native", "config": config | more, "options": options}
    case = {"config": envelope, "token": token, "outcome": outcome}
    (ROOT / f"tests/cost/cases/{name}.json").write_text(json.dumps(case, indent=2) + "\n")


def main() -> None:
    (ROOT / "tests/cost/cases").mkdir(exist_ok=True)
    for alg in PRIVATE:
        write(f"grant-{alg.lower()}", alg, token(alg))
    secret = token("HS256")
    write("grant-with-a-role-expression", "HS256", secret, roles={"jmespath": ROLE})
    cache = {"max_bytes": 1048576, "max_ttl": "5m"}
    write("grant-from-the-cache", "HS256", secret, options={"token_cache": cache})
    write("denied-not-a-token", "HS256", "x" * 700, outcome="token_malformed")
    other = "A" if secret[-5] != "A" else "B"
    write("denied-bad-signature", "HS256", secret[:-5] + other + secret[-4:], outcome="signature_invalid")


if __name__ == "__main__":
    main()
