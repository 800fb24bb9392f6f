"""Three instances over one Redis behind nginx, of which one is killed and started again, in turn: instances.py KILLS.

No login that was answered may be lost, no revoked token may be accepted, and only requests that were in flight on the killed
instance may fail. With 60 kills, one each second, it runs for a minute or more (`make test-serve-instances`).
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from proxies import Ports, Running, Started, nginx_with
from serve import ADMIN, LIMIT, Lines, Serve, fetch, free_port, public_pem, token

INSTANCES = 3
CLIENTS = 4
# What clients do between two kills, at least.
LOGINS = 25


class Counts:
    """What clients have seen. Others can wait until they have seen enough."""

    def __init__(self) -> None:
        self.now = dict.fromkeys(["logins", "lookups", "revocations", "failed", "lost", "accepted", "kills"], 0)
        self.broken: BaseException | None = None
        self._changed = threading.Condition()

    def add(self, name: str) -> None:
        with self._changed:
            self.now[name] += 1
            self._changed.notify_all()

    def fail(self, why: BaseException) -> None:
        with self._changed:
            self.broken = why
            self._changed.notify_all()

    def wait_for_more(self, name: str, more: int) -> None:
        with self._changed:
            wanted = self.now[name] + more
            assert self._changed.wait_for(lambda: self.now[name] >= wanted or self.broken, LIMIT), self.now
            if self.broken:
                raise self.broken


def redis(folder: Path, stack: ExitStack) -> Path:
    path = folder / "redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "yes", "--appendfsync", "always",
               "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    stack.callback(process.wait, LIMIT)
    stack.callback(process.terminate)
    Lines(process.stdout).wait_for("to accept connections")
    return path


def client(url: str, jwt: str, counts: Counts, over: threading.Event) -> None:
    def call(path: str, own: str, body: object = None) -> tuple[int, str]:
        data = json.dumps(body).encode() if body is not None else None
        status, _, text = fetch(f"{url}/v1/{path}", {"X-Vault-Token": own}, "GET" if body is None else "POST", data)
        return status, text

    while not over.is_set():
        status, text = call("auth/jwt/login", "", {"role": "demo", "jwt": jwt})
        if status != 200:
            counts.add("failed")
            continue
        counts.add("logins")
        own = json.loads(text)["auth"]["client_token"]
        for _ in range(3):
            status, _ = call("auth/token/lookup-self", own)
            counts.add("lookups" if status == 200 else "failed" if status >= 500 else "lost")
        status, _ = call("auth/token/revoke-self", own, {})
        if status != 204:
            # It may have been revoked or not: the instance was killed before it answered.
            counts.add("failed")
            continue
        counts.add("revocations")
        for _ in range(3):
            status, _ = call("auth/token/lookup-self", own)
            if status != 403:
                counts.add("accepted" if status == 200 else "failed")


def kill(kills: int, each: float) -> Counts:
    """Kills instances in turn. `each` is the shortest time between two kills, in seconds."""
    counts = Counts()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jwtauth-many-")))
        path = redis(folder, stack)
        role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": "api"}
        config = {"server": {"log": "off", "vault": {"token_file": "admin.token"}, "store": {"redis": {"socket": str(path)}}}}
        instances = [stack.enter_context(Serve(config, store=None, port=free_port())) for _ in range(INSTANCES)]

        def front(folder: Path, ports: Ports) -> Started:
            servers = " ".join(f"server 127.0.0.1:{instance.port} max_fails=0;" for instance in instances)
            return nginx_with(folder, f"""
                upstream all {{ {servers} }}
                server {{ listen 127.0.0.1:{ports.front}; location / {{ proxy_pass http://all; }} }}""")

        url = stack.enter_context(Running(front, 0, 0)).url
        # Each instance knows at once what another one has written.
        writes = [("sys/auth/jwt", {"type": "jwt"}), ("auth/jwt/config", {"jwt_validation_pubkeys": [public_pem()]}), ("auth/jwt/role/demo", role)]
        for instance, (what, body) in zip(instances, writes):
            status, _, text = fetch(f"{instance.url}/v1/{what}", {"X-Vault-Token": ADMIN}, "POST", json.dumps(body).encode())
            assert status == 204, (what, status, text)

        over = threading.Event()

        def run(jwt: str) -> None:
            try:
                client(url, jwt, counts, over)
            except BaseException as why:
                counts.fail(why)

        threads = [threading.Thread(target=run, args=(token(),)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            for instance in itertools.islice(itertools.cycle(instances), kills):
                begun = time.monotonic()
                counts.wait_for_more("logins", LOGINS)
                instance.kill()
                counts.add("kills")
                instance.start()
                over.wait(max(0.0, begun + each - time.monotonic()))
            counts.wait_for_more("logins", LOGINS)
        finally:
            over.set()
            for thread in threads:
                thread.join(LIMIT)
    return counts


def check(counts: Counts) -> None:
    now = counts.now
    assert now["lost"] == 0 and now["accepted"] == 0, now
    # Each client can have one request in flight on the killed instance.
    assert now["failed"] <= now["kills"] * CLIENTS, now


if __name__ == "__main__":
    seen = kill(int(sys.argv[1]), 1.0)
    print(json.dumps(seen.now))
    check(seen)
