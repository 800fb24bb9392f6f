"""vault/api, openbao/api/v2 and consul/api, unchanged. `.ci/test-serve` has built their program."""

import os
import subprocess

from serve import ADMIN, ROOT, Serve, expired, public_pem, token


def test_clients_in_go(server: Serve) -> None:
    program = os.environ.get("CLIENTS_IN_GO", ROOT / "target/serve-go")
    environment = os.environ | {"URL_OF_SERVER": server.url, "ADMIN": ADMIN, "PEM": public_pem(), "GOOD": token(), "BAD": expired()}
    done = subprocess.run([program], env=environment, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
