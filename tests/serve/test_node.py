"""node-vault, unchanged."""

import os
import subprocess
from pathlib import Path

from serve import ADMIN, Serve, expired, public_pem, token


def test_node_vault(server: Serve) -> None:
    here = Path(__file__).parent
    environment = os.environ | {"URL_OF_SERVER": server.url, "ADMIN": ADMIN, "PEM": public_pem(), "GOOD": token(), "BAD": expired()}
    done = subprocess.run(["node", "vault.mjs"], cwd=here, env=environment, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
