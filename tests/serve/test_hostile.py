"""What no client and no disk may do to the server. The shapes of single requests are in crates/jwtauth-server/tests."""

import json
import resource
import signal
import socket

from serve import ADMIN, Serve, fetch, native, public_pem, token

IDLE = 10_000


def many_files() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = IDLE + 1000
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard if hard in (resource.RLIM_INFINITY,) else max(hard, wanted)))


def test_ten_thousand_idle_connections_do_not_matter() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    many_files()
    try:
        with Serve(native(limits={"header_timeout": "10m"}), preexec_fn=many_files) as serve:
            idle = [socket.create_connection(("127.0.0.1", serve.port)) for _ in range(IDLE)]
            # One byte each, so that a header has begun.
            for connection in idle:
                connection.send(b"G")
            headers = {"Authorization": f"Bearer {token()}"}
            assert all(fetch(serve.url + "/auth", headers)[0] == 200 for _ in range(20))
            metrics = fetch(serve.url + "/metrics")[2]
            assert any(line.startswith("jwtauth_open_connections 1000") for line in metrics.splitlines())
            memory = next(line for line in open(f"/proc/{serve.process.pid}/status") if line.startswith("VmRSS"))
            assert int(memory.split()[1]) < 400_000, memory
            for connection in idle:
                connection.close()
            assert serve.stop() == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def a_full_disk() -> None:
    # Files cannot grow any more, as on a full disk.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))


def test_a_full_disk_refuses_logins_and_keeps_sessions() -> None:
    config = {
        "dialect": "vault",
        "config": {
            "jwt_validation_pubkeys": [public_pem()],
            "roles": {"demo": {"role_type": "jwt", "user_claim": "sub", "bound_audiences": "api"}},
        },
        "server": {"log": "off", "vault": {"token_file": "admin.token"}},
    }
    with Serve(config, store="sqlite:sessions.db", preexec_fn=a_full_disk) as serve:
        body = json.dumps({"role": "demo", "jwt": token()}).encode()
        statuses, tokens = [], []
        for _ in range(3000):
            status, _, text = fetch(serve.url + "/v1/auth/jwt/login", method="POST", data=body)
            statuses.append(status)
            if status != 200:
                break
            tokens.append(json.loads(text)["auth"]["client_token"])
        assert statuses[-1] == 503 and tokens, statuses[-1]
        assert fetch(serve.url + "/healthz")[0] == 200
        # Every session that was answered is there.
        for own in [tokens[0], tokens[-1]]:
            assert fetch(serve.url + "/v1/auth/token/lookup-self", {"X-Vault-Token": own})[0] == 200
        assert fetch(serve.url + "/v1/sys/auth", {"X-Vault-Token": ADMIN})[0] == 200
        assert serve.stop() == 0
