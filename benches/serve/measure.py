"""Measures forward-auth next to a bare handler: measure.py PROGRAM BARE."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEY = ROOT / "tests/conformance/keys/ec256-1.private.pem"
ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECONDS = int(os.environ.get("SECONDS_EACH", "2"))
NAMES = {"bare": "a bare handler", "cached": "forward-auth, with the token cache", "verified": "forward-auth, ES256"}


def run(*command: object) -> str:
    return subprocess.run([str(part) for part in command], check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def wait(url: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(url)
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{url} does not answer")


def used(process: subprocess.Popen[bytes]) -> float:
    """The time that a process has used the processors, in seconds."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(program: str, bare: str) -> None:
    now = int(time.time())
    claims = {"iss": "https://issuer.example", "sub": "alice", "aud": "api", "iat": now, "exp": now + 3600,
              "email": "alice@example.com", "groups": ["eng", "ops"]}
    token = run(program, "sign", "--key", KEY, "--alg", "ES256", "--claims", json.dumps(claims))
    config = {
        "dialect": "native",
        "config": {"keys": [{"pem": run("openssl", "pkey", "-in", KEY, "-pubout")}], "algorithms": ["ES256"],
                   "issuer": "https://issuer.example", "audiences": ["api"], "policies": ["read"],
                   "identity": {"name": "sub", "email": "email", "groups": "groups"}},
        "server": {"log": "off"},
    }
    folder = Path(tempfile.mkdtemp(prefix="jwtauth-bench-"))
    processes, ports = {}, {}
    for port, (name, options) in enumerate({"bare": None, "cached": {"token_cache": {"max_bytes": 1 << 23, "max_ttl": "1h"}}, "verified": {}}.items(), 18200):
        if options is None:
            command = [bare, f"127.0.0.1:{port}"]
        else:
            file = folder / f"{name}.json"
            file.write_text(json.dumps(config | {"options": options}))
            command = [program, "serve", "--config", str(file), "--listen", f"127.0.0.1:{port}", "--store", "memory"]
        processes[name] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ports[name] = port
    try:
        seen: dict[str, list[float]] = {name: [] for name in ports}
        each: dict[str, list[float]] = {name: [] for name in ports}
        for name, port in ports.items():
            wait(f"http://127.0.0.1:{port}/" + ("auth" if name == "bare" else "healthz"))
        for _ in range(ROUNDS):
            for name, port in ports.items():
                before = used(processes[name])
                text = run("wrk", "-t1", "-c32", f"-d{SECONDS}s", "-H", f"Authorization: Bearer {token}", f"http://127.0.0.1:{port}/auth")
                assert "Non-2xx" not in text, text
                seen[name].append(float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)))
                each[name].append((used(processes[name]) - before) / int(re.search(r"(\d+) requests in", text).group(1)))
        medians = {name: statistics.median(values) for name, values in seen.items()}
        print("| | requests/s | ratio | at least | processor time of a request, µs |\n|---|---|---|---|---|")
        for name, value in medians.items():
            goal = {"cached": "0.7"}.get(name, "")
            micros = statistics.median(each[name]) * 1e6
            print(f"| {NAMES[name]} | {value:.0f} | {value / medians['bare']:.2f} | {goal} | {micros:.1f} |")
    finally:
        for process in processes.values():
            process.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
