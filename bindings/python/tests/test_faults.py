"""Faults of key servers, seen from forked workers of a web server that built its verifiers before the fork.

The scripts are those of `tests/faults`; the testkit's program `serve` plays the key servers. Every worker has a
separate cache. So every script is played once in every worker, with separate servers and a separate verifier, and each
worker must send as many requests to the key server as a process that never forked. One worker also plays the scripts
with a `fetch` function. The last tests check what workers share and what they do not share.
"""

from __future__ import annotations

import http.client
import json
import os
import queue
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import PATIENCE, TARGET

WORKERS = 2
HERE = Path(__file__).parent


class Serve:
    """The program that plays the key servers."""

    def __init__(self) -> None:
        program = TARGET / "debug" / "serve"
        if not program.exists():
            pytest.fail(f"{program} is not there: .ci/test-python builds it")
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.address = json.loads(self.process.stdout.readline())["control"].removeprefix("http://")

    def __call__(self, method: str, path: str, body: object = None) -> Any:
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        assert answer.status == 200, f"{method} {path}: {text}"
        return json.loads(text)

    def requests(self, play: int) -> int:
        return int(self("GET", f"/plays/{play}")["requests"])

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


class Worker:
    """One of the forked processes, with the connections that it has accepted."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.idle: queue.LifoQueue[http.client.HTTPConnection] = queue.LifoQueue()

    def decide(self, verifier: int, token: str) -> dict[str, Any]:
        connection = self.idle.get(timeout=PATIENCE)
        reply = ask(connection, f"/{verifier}", token)
        assert reply["worker"] == self.pid
        assert reply["forked"]
        self.idle.put(connection)
        return reply


def ask(connection: http.client.HTTPConnection, path: str, body: str = "") -> dict[str, Any]:
    connection.request("POST", path, body)
    reply: dict[str, Any] = json.loads(connection.getresponse().read())
    return reply


class Server:
    """A running gunicorn."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.workers: dict[int, Worker] = {}

    def connect(self, enough: int) -> list[Worker]:
        """Opens connections until each worker has enough, because the test cannot choose which worker accepts one."""
        while len(self.workers) < WORKERS or any(one.idle.qsize() < enough for one in self.workers.values()):
            connection = http.client.HTTPConnection(*self.address, timeout=PATIENCE)
            # The socket listens already, so a server that is still starting answers later.
            pid = ask(connection, "/")["worker"]
            worker = self.workers.setdefault(pid, Worker(pid))
            if worker.idle.qsize() < enough:
                worker.idle.put(connection)
            else:
                connection.close()
        return list(self.workers.values())

    def disconnect(self) -> None:
        for worker in self.workers.values():
            while not worker.idle.empty():
                worker.idle.get().close()


@contextmanager
def gunicorn(directory: Path, plays: list[dict[str, Any]], **environment: str) -> Iterator[Server]:
    """Runs `forked_app` with the verifiers of these plays."""
    path = directory / "plays.json"
    path.write_text(json.dumps({play["play"]: play for play in plays}), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as listener, (directory / "log").open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--preload", "--workers", str(WORKERS)]
            + ["--worker-class", "gthread", "--threads", "80", "--keep-alive", "600", "--timeout", "300"]
            + ["--worker-tmp-dir", str(directory), "--no-control-socket"]
            + ["--bind", f"fd://{listener.fileno()}", "forked_app:application"],
            cwd=HERE,
            env={**os.environ, "PLAYS": str(path), **environment},
            pass_fds=[listener.fileno()],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        server = Server(listener.getsockname()[:2])
        try:
            yield server
        except BaseException:
            log.seek(0)
            print(log.read())
            raise
        finally:
            server.disconnect()
            process.terminate()
            process.wait(PATIENCE)


@pytest.fixture(scope="module")
def serve() -> Iterator[Serve]:
    serve = Serve()
    yield serve
    serve.close()


def differences(serve: Serve, worker: Worker, play: dict[str, Any]) -> Iterator[str]:
    """Plays one script in one worker; yields every difference from what the script expects."""
    number = play["play"]
    with ThreadPoolExecutor(max(step.get("threads", 1) for step in play["steps"])) as pool:
        for index, step in enumerate(play["steps"]):
            if "change" in step:
                serve("POST", f"/plays/{number}/steps/{index}")
                continue
            before = serve.requests(number)
            threads = [
                pool.submit(lambda: [worker.decide(number, token) for token in step["tokens"]])
                for _ in range(step["threads"])
            ]
            replies = [reply for thread in threads for reply in thread.result()]
            requests = serve.requests(number) - before
            wrong = {reply["outcome"] for reply in replies} - {step["expect"]}
            if wrong:
                yield f"step {index}: {wrong} for {step['expect']}: {replies[0].get('detail')}"
            details = {reply.get("detail") or "" for reply in replies}
            phase = f": {step['phase']}: " if "phase" in step else ""
            reason = step.get("reason", "") if "authorities" not in play else ""
            if not all(phase in detail and reason in detail and "hush" not in detail for detail in details):
                yield f"step {index}: no {phase + reason!r} in {details}"
            bounds = step.get("requests")
            if bounds and not bounds["least"] <= requests <= bounds["most"]:
                yield f"step {index}: {requests} requests for {bounds}"


def test_forked_workers_survive_every_fault(serve: Serve, tmp_path: Path) -> None:
    listed = serve("GET", "/faults")
    scripts = [script for script in listed if not script["token_cache"]]
    with_cache = [script for script in listed if script["token_cache"]]
    assert len(scripts) == len(with_cache) > 70
    own = [script for script in scripts if not script["built_in_client"]]
    assert len(own) > 40

    def start(script: dict[str, str]) -> dict[str, Any]:
        play: dict[str, Any] = serve("POST", "/plays", script)
        return play

    every = scripts * WORKERS + with_cache + own
    with ThreadPoolExecutor(WORKERS) as pool:
        plays = list(pool.map(start, every))
    for play in plays[-len(own) :]:
        play["authorities"] = f"{play['directory']}/ca.pem"

    # Several run concurrently, because most of the time is spent waiting.
    at_once = 4
    with gunicorn(tmp_path, plays) as server:
        enough = max(step.get("threads", 1) for play in plays for step in play["steps"])
        workers = server.connect(enough + at_once - 1)

        def run(number: int) -> list[str]:
            worker = workers[min(number // len(scripts), WORKERS) % WORKERS]
            script = every[number]
            name = f"{script['fault']}, {script['script']}{', with a token cache' if script['token_cache'] else ''}"
            return [f"{name}: {what}" for what in differences(serve, worker, plays[number])]

        with ThreadPoolExecutor(WORKERS * at_once) as pool:
            failures = sum(pool.map(run, range(len(plays))), [])
    for play in plays:
        serve("DELETE", f"/plays/{play['play']}")
    assert not failures, "\n".join(failures)
    print(
        f"faults python: {len(scripts)} scripts in each of {WORKERS} forked workers, "
        f"{len(with_cache)} with a token cache, {len(own)} with a `fetch` function"
    )


def play_shared(serve: Serve, steps: list[dict[str, Any]]) -> dict[str, Any]:
    """A play of a server with the default times, for a verifier that all workers use."""
    source = {"cache_ttl": "15m", "cool_down": "30s", "jwks_url": "{keys}/keys"}
    play: dict[str, Any] = serve(
        "POST", "/plays", {"fault": {"name": "is good", "source": source, "steps": steps}, "script": "steps"}
    )
    return play


def outcomes(workers: list[Worker], play: dict[str, Any], step: int, times: int = 1) -> set[str]:
    """The outcomes of all workers for the tokens of a step, decided concurrently."""
    number, tokens = play["play"], play["steps"][step]["tokens"] * times
    with ThreadPoolExecutor(WORKERS * len(tokens)) as pool:
        asked = [pool.submit(worker.decide, number, token) for token in tokens for worker in workers]
        return {one.result()["outcome"] for one in asked}


def test_a_difference_from_a_script_is_detected(serve: Serve, tmp_path: Path) -> None:
    wrong = {"expect": "key_not_found", "phase": "tls", "requests": 2}
    play = play_shared(serve, [wrong, {"expect": "granted", "requests": 0}])
    with gunicorn(tmp_path, [play]) as server:
        found = list(differences(serve, server.connect(1)[0], play))
    serve("DELETE", f"/plays/{play['play']}")
    assert found == [
        "step 0: {'granted'} for key_not_found: None",
        "step 0: no ': tls: ' in {''}",
        "step 0: 1 requests for {'least': 2, 'most': 2}",
    ]


def test_workers_forked_from_a_warm_process_do_not_fetch(serve: Serve, tmp_path: Path) -> None:
    play = play_shared(serve, [{"expect": "granted"}, {"servers": {"keys": {"open": False}}}])
    number = play["play"]
    with gunicorn(tmp_path, [play], REFRESH="yes") as server:
        workers = server.connect(20)
        assert serve.requests(number) == 1
        assert outcomes(workers, play, 0, 20) == {"granted"}
        serve("POST", f"/plays/{number}/steps/1")
        assert outcomes(workers, play, 0, 20) == {"granted"}
        assert serve.requests(number) == 1
    serve("DELETE", f"/plays/{number}")


def test_each_worker_forked_from_a_cold_process_fetches_once(serve: Serve, tmp_path: Path) -> None:
    flood = {"authenticate": {"kid": "random-{n}", "times": 50}, "expect": "key_not_found"}
    play = play_shared(serve, [{"expect": "granted"}, flood])
    number = play["play"]
    with gunicorn(tmp_path, [play]) as server:
        workers = server.connect(50)
        assert serve.requests(number) == 0
        assert outcomes(workers, play, 0, 20) == {"granted"}
        assert serve.requests(number) == WORKERS
        # A worker that has just fetched does not fetch again for unknown keys.
        assert outcomes(workers, play, 1) == {"key_not_found"}
        assert serve.requests(number) == WORKERS
        assert outcomes(workers, play, 0) == {"granted"}
    serve("DELETE", f"/plays/{number}")
