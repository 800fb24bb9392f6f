"""The package in a process: threads, forks, memory, and a separate environment."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import CONFIG, NOW, PATIENCE, PUBLIC_KEYS, PUBLIC_TOKEN, TARGET, run, token

from jwtauth import Denied, Verifier


class Waiting:
    """A thread that waits while the interpreter switches threads only when a thread releases the GIL."""

    def __enter__(self) -> Waiting:
        self.ran = threading.Event()
        self.turn = threading.Lock()
        self.turn.acquire()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        self.interval = sys.getswitchinterval()
        sys.setswitchinterval(1000)
        self.turn.release()
        return self

    def run(self) -> None:
        with self.turn:
            self.ran.set()

    def __exit__(self, *_: object) -> None:
        sys.setswitchinterval(self.interval)
        self.thread.join()


@pytest.mark.parametrize("what", ["a signature", "a large token"])
def test_other_threads_run_while_one_decides(what: str) -> None:
    if what == "a signature":
        config = {**CONFIG["config"], "keys": [{"jwks": PUBLIC_KEYS}], "algorithms": ["EdDSA"]}
        verifier, compact = Verifier({**CONFIG, "config": config}), PUBLIC_TOKEN
    else:
        verifier, compact = Verifier(CONFIG), token(padding="x" * 700_000)
    with Waiting() as other:
        deadline = time.monotonic() + PATIENCE
        while not other.ran.is_set() and time.monotonic() < deadline:
            verifier.authenticate(compact)
        assert other.ran.is_set()


def test_a_short_decision_keeps_the_gil() -> None:
    """Releasing the GIL for three microseconds can cost five milliseconds until the thread has it again."""
    verifier, compact = Verifier(CONFIG), token()
    with Waiting() as other:
        for _ in range(1000):
            verifier.authenticate(compact)
        assert not other.ran.is_set()


def test_threads_share_a_verifier() -> None:
    verifier = Verifier(CONFIG)

    def decide(number: int) -> str | None:
        try:
            expires = NOW + 600 if number % 3 else NOW - 600
            return verifier.authenticate(token(sub=f"user-{number}", exp=expires)).identity.name
        except Denied as refusal:
            return refusal.code

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(decide, range(2000)))
    assert replies == [f"user-{number}" if number % 3 else "token_expired" for number in range(2000)]


def test_threads_read_one_grant() -> None:
    for _ in range(50):
        grant = Verifier(CONFIG).authenticate(token())
        start = threading.Barrier(8)

        def read() -> tuple[int, ...]:
            start.wait()
            return tuple(map(id, (grant.identity, grant.entitlements, grant.session, grant.claims, grant.json)))

        with ThreadPoolExecutor(8) as pool:
            seen = {future.result() for future in [pool.submit(read) for _ in range(8)]}
        assert len(seen) == 1


def test_verifiers_come_and_go_while_others_decide() -> None:
    verifier = Verifier(CONFIG)
    expected = verifier.authenticate(token()).json

    def build(_: int) -> str:
        return Verifier(CONFIG).authenticate(token()).json

    def decide(_: int) -> str:
        return verifier.authenticate(token()).json

    with ThreadPoolExecutor(4) as pool:
        built = pool.map(build, range(200))
        decided = pool.map(decide, range(200))
        assert set(built) | set(decided) == {expected}


def test_a_verifier_works_on_both_sides_of_a_fork() -> None:
    printed = run(
        sys.executable,
        """
        import os
        from conftest import CONFIG, Verifier, token
        verifier = Verifier(CONFIG)
        before = verifier.authenticate(token()).json
        child = os.fork()
        same = verifier.authenticate(token()).json == before and Verifier(CONFIG).authenticate(token()).json == before
        if child == 0:
            os._exit(0 if same else 1)
        print(same, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """,
    )
    assert printed == "True 0"


def test_ten_thousand_calls_leak_nothing() -> None:
    printed = run(
        sys.executable,
        """
        import gc, json, pickle, resource, sys, tracemalloc
        from conftest import CONFIG, Verifier, token
        import jwtauth
        verifier = Verifier(CONFIG)
        good, bad = token(), token(exp=1)
        headers = {"Authorization": ["Bearer " + good], "Accept": "x"}
        text = json.dumps({"token": good})

        def call():
            grant = verifier.authenticate(headers=headers, url="/", remote_addr="10.0.0.1")
            grant.identity.lists, grant.entitlements, grant.session.ttl, grant.claims, grant.to_dict(), repr(grant)
            pickle.loads(pickle.dumps(grant)) == verifier.authenticate_json(text)
            for arguments in ((bad,), (1,), ("\\ud800",)):
                try:
                    verifier.authenticate(*arguments)
                except (jwtauth.Error, TypeError):
                    pass

        def many(calls):
            for number in range(calls):
                call()
                if number % 100 == 0:
                    verifier.policy()
                    Verifier(CONFIG)

        def left():
            gc.collect()
            return len(gc.get_objects()), tracemalloc.get_traced_memory()[0]

        peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        many(500)
        resident = peak()
        many(2000)
        resident = peak() - resident
        tracemalloc.start()
        many(20)
        objects, traced = left()
        many(500)
        now = left()
        print(now[0] - objects, now[1] - traced, resident)
        """,
    )
    objects, traced, resident = map(int, printed.split())
    # Each round makes five decisions. One leaked object in each of the last 500 rounds would appear as 500 objects and
    # at least 25 kB; one leaked kilobyte for each of the ten thousand decisions before them as 10 MB.
    assert objects < 50
    assert traced < 20_000
    assert resident < (2_500 if sys.platform == "linux" else 2_500 * 1024)


def test_the_wheel_works_in_a_separate_environment(tmp_path: Path) -> None:
    wheels = list((TARGET / "wheels").glob("jwtauth-*.whl"))
    if len(wheels) != 1:
        pytest.fail(f"there should be one wheel in {TARGET / 'wheels'}: .ci/test-python builds it")
    assert "-cp310-abi3-" in wheels[0].name
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path], check=True)
    python = tmp_path / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install = ["--python", str(python), "install", "--quiet", "--no-index", "--no-deps", str(wheels[0])]
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *install], check=True)
    printed = run(
        python,
        """
        import importlib.metadata, sys, jwtauth
        assert jwtauth.__file__.startswith(sys.prefix), jwtauth.__file__
        about = importlib.metadata.metadata("jwtauth")
        assert about["Version"] == jwtauth.__version__
        assert about["License-Expression"] == "MIT OR Apache-2.0"
        assert all("; extra == " in one for one in importlib.metadata.requires("jwtauth"))
        names = {file.name for file in importlib.metadata.files("jwtauth")}
        assert names >= {"py.typed", "_jwtauth.pyi", "LICENSE-MIT", "LICENSE-APACHE"}, names
        config, token = sys.argv[1:]
        print(jwtauth.Verifier(config).authenticate(token).identity.name)
        """,
        json.dumps(CONFIG),
        token(),
    )
    assert printed == "alice"
