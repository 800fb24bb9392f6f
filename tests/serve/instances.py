"""Three instances over one Redis behind nginx, of which one is killed and restarted every second: instances.py [SECONDS].

No login that was answered may be lost, no revoked token may be accepted, and only requests that were in flight on the killed
instance may fail.
"""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from serve import ADMIN, PROGRAM, fetch, free_port, public_pem, token

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 60
CLIENTS = 4


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="jwtauth-many-"))
    folder.chmod(0o755)
    (folder / "admin.token").write_text(ADMIN)
    socket = folder / "redis.sock"
    config = {"server": {"log": "off", "vault": {"token_file": "admin.token"}, "store": {"redis": {"socket": str(socket)}}}}
    (folder / "config.json").write_text(json.dumps(config))
    redis = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "yes", "--appendfsync", "always",
         "--dir", str(folder)], stdout=subprocess.DEVNULL)
    ports = [free_port() for _ in range(3)]
    notes = open(folder / "notes", "w")

    def start(port: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen([str(PROGRAM), "serve", "--config", "config.json", "--listen", f"127.0.0.1:{port}"],
                                cwd=folder, stdout=subprocess.DEVNULL, stderr=notes)

    def wait(url: str) -> None:
        for _ in range(400):
            try:
                if fetch(url)[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise SystemExit(f"{url} does not answer")

    instances = {port: start(port) for port in ports}
    front = free_port()
    servers = "\n".join(f"server 127.0.0.1:{port} max_fails=0;" for port in ports)
    (folder / "nginx.conf").write_text(f"""
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream all {{ {servers} }}
  server {{ listen 127.0.0.1:{front}; location / {{ proxy_pass http://all; proxy_connect_timeout 2s; }} }}
}}""")
    nginx = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")])
    url = f"http://127.0.0.1:{front}"
    for port in ports:
        wait(f"http://127.0.0.1:{port}/readyz")
    wait(url + "/readyz")

    def call(path: str, own: str, body: object = None) -> tuple[int, str]:
        data = json.dumps(body).encode() if body is not None else None
        method = "GET" if body is None else "POST"
        status, _, text = fetch(f"{url}/v1/{path}", {"X-Vault-Token": own}, method, data)
        return status, text

    def admin(path: str, body: object) -> None:
        status, text = call(path, ADMIN, body)
        assert status == 204, (path, status, text)

    admin("sys/auth/jwt", {"type": "jwt"})
    # The next instance knows it at once.
    admin("auth/jwt/config", {"jwt_validation_pubkeys": [public_pem()]})
    admin("auth/jwt/role/demo", {"role_type": "jwt", "user_claim": "sub", "bound_audiences": "api"})

    jwt = token()
    over = threading.Event()
    counts = {"logins": 0, "lookups": 0, "revocations": 0, "failed": 0, "lost": 0, "accepted": 0, "kills": 0}
    lock = threading.Lock()

    def add(name: str) -> None:
        with lock:
            counts[name] += 1

    def client() -> None:
        while not over.is_set():
            status, text = call("auth/jwt/login", "", {"role": "demo", "jwt": jwt})
            if status != 200:
                add("failed")
                continue
            add("logins")
            own = json.loads(text)["auth"]["client_token"]
            for _ in range(3):
                status, _ = call("auth/token/lookup-self", own)
                add("lookups" if status == 200 else "failed" if status >= 500 else "lost")
            status, _ = call("auth/token/revoke-self", own, {})
            if status != 204:
                # It may have been revoked or not: the instance was killed before it answered.
                add("failed")
                continue
            add("revocations")
            for _ in range(3):
                status, _ = call("auth/token/lookup-self", own)
                if status == 200:
                    add("accepted")
                elif status >= 500:
                    add("failed")

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + SECONDS
    for port in itertools.cycle(ports):
        if time.monotonic() > end:
            break
        instances[port].kill()
        instances[port].wait()
        add("kills")
        instances[port] = start(port)
        wait(f"http://127.0.0.1:{port}/readyz")
        time.sleep(max(0, 1 - 0.1))
    over.set()
    for thread in threads:
        thread.join()
    print(json.dumps(counts))
    for process in [nginx, *instances.values(), redis]:
        process.terminate()
        process.wait()
    shutil.rmtree(folder, ignore_errors=True)
    # Each client can have one request in flight on the killed instance.
    allowed = counts["kills"] * CLIENTS
    ok = counts["lost"] == 0 and counts["accepted"] == 0 and counts["failed"] <= allowed and counts["logins"] > 0
    print("ok" if ok else "FAILED")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
