"""Decides with the installed package, and prints where: the token of RFC 7515, A.3, is granted, and a forged one is denied."""

import json
import platform
import tempfile
from pathlib import Path

from jwtauth import Denied, Sessions, Verifier, __version__

HERE = Path(__file__).parent
CASES = json.loads((HERE / "tokens.json").read_text())

verifier = Verifier.from_file(str(HERE / "config.json"))
assert verifier.authenticate(CASES["good"]).identity.name == "joe"
try:
    verifier.authenticate(CASES["forged"])
except Denied as refusal:
    assert refusal.code == "signature_invalid", refusal.code
else:
    raise SystemExit("a forged token was granted")

# The store in SQLite is C code in the package.
with tempfile.TemporaryDirectory() as folder:
    config = json.loads((HERE / "config.json").read_text())
    sessions = Sessions({**config, "sessions": {"store": {"sqlite": {"path": f"{folder}/sessions.db"}}}})
    login = sessions.login(CASES["good"])
    assert sessions.authorize(login.token).identity.name == "joe"

print(f"{platform.python_implementation()} {platform.python_version()}, jwtauth {__version__}")
