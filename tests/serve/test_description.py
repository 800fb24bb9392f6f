"""The server answers as its OpenAPI description says: schemathesis sends what the description allows, and what it does not."""

import subprocess
import sys

from serve import ADMIN, Serve, native

CHECKS = "status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance"


def test_answers_are_those_of_the_description() -> None:
    # Keys are not fetched, because the configurations are random.
    offline = {"token_file": "admin.token", "fetch_keys": False}
    with Serve(native(vault=offline, consul=offline, auth={"cookie": {}})) as serve:
        done = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", "run", serve.url + "/openapi.json", "--checks", CHECKS, "--seed", "1",
             "--max-examples", "5", "--phases", "coverage,fuzzing", "--no-color",
             "-H", f"X-Vault-Token: {ADMIN}", "-H", f"X-Consul-Token: {ADMIN}"],
            text=True, capture_output=True, cwd=serve.folder,
        )
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr
        assert serve.process.poll() is None
