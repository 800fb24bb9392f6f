"""Sessions in a process and between processes: threads, the GIL, forks, memory, and a shared store."""

from __future__ import annotations

import json
import multiprocessing
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import CONFIG, PATIENCE, run, token
from sessions_config import begin_together, in_file, keeping, locked, spend, spend_in_a_process

from jwtauth import Sessions


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_threads_spend_the_uses_of_a_session_together(tmp_path: Path, store: str) -> None:
    uses = 1000 if store == "memory" else 100
    terms = {"num_uses": uses}
    sessions = Sessions(keeping(terms) if store == "memory" else in_file(tmp_path, terms))
    held = sessions.login(token()).token
    start = threading.Barrier(8)

    def many(_: int) -> int:
        start.wait()
        return spend(sessions, held, uses // 4)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(many, range(8))) == uses


def test_processes_spend_the_uses_of_a_session_together(tmp_path: Path) -> None:
    config = in_file(tmp_path, {"num_uses": 100})
    held = Sessions(config).login(token()).token
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    with context.Pool(2, begin_together, (barrier,)) as pool:
        passed = pool.map_async(spend_in_a_process, [(config, held, 80)] * 2, 1).get(PATIENCE)
    assert sum(passed) == 100


@pytest.mark.parametrize(
    "call",
    [
        lambda sessions, held: sessions.login(token()),
        lambda sessions, held: sessions.authorize(held),
        lambda sessions, held: sessions.revoke(held),
        lambda sessions, held: sessions.revoke_all(subject="alice"),
        lambda sessions, held: sessions.sweep(),
        lambda sessions, held: sessions.call_json("revoke", json.dumps({"token": held})),
    ],
    ids=["login", "authorize", "revoke", "revoke_all", "sweep", "call_json"],
)
def test_other_threads_run_while_one_waits_for_a_store(tmp_path: Path, call: Callable[[Sessions, str], object]) -> None:
    """The thread that waits for the store began with the GIL, and the interpreter takes it from no thread here."""
    sessions = Sessions(in_file(tmp_path, {"num_uses": 9}))
    held = sessions.login(token()).token
    begun, ended = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        call(sessions, held)
        ended.set()

    interval = sys.getswitchinterval()
    thread = threading.Thread(target=wait)
    try:
        with locked(tmp_path / "sessions.db"):
            sys.setswitchinterval(1000)
            thread.start()
            begun.wait()
            assert not ended.is_set()
    finally:
        sys.setswitchinterval(interval)
    thread.join()
    assert ended.is_set()


def test_a_verb_in_memory_keeps_the_gil() -> None:
    """Releasing the GIL for a microsecond can cost five milliseconds until the thread has it again."""
    sessions = Sessions(keeping())
    held = sessions.login(token()).token
    ran, turn = threading.Event(), threading.Lock()

    def other() -> None:
        with turn:
            ran.set()

    interval = sys.getswitchinterval()
    turn.acquire()
    thread = threading.Thread(target=other)
    thread.start()
    try:
        sys.setswitchinterval(1000)
        turn.release()
        for _ in range(1000):
            sessions.authorize(held)
            sessions.lookup(held)
        assert not ran.is_set()
    finally:
        sys.setswitchinterval(interval)
    thread.join()


def test_children_that_were_forked_before_the_first_use_share_a_file(tmp_path: Path) -> None:
    printed = run(
        sys.executable,
        """
        import asyncio, json, os, sys
        from conftest import token
        from jwtauth import Denied, Sessions
        sessions = Sessions(json.loads(sys.argv[1]))
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            first, second = sessions.login(token()).token, asyncio.run(sessions.login_async(token())).token
            sessions.revoke(second)
            os.write(write, f"{first} {second}".encode())
            os._exit(0)
        os.waitpid(child, 0)
        first, second = os.read(read, 1000).decode().split()
        try:
            sessions.authorize(second)
        except Denied as refusal:
            print(sessions.authorize(first).subject, refusal.code)
        """,
        json.dumps(in_file(tmp_path)),
    )
    assert printed == "alice session_unknown"


def test_after_the_first_use_of_sqlite_its_children_have_none(tmp_path: Path) -> None:
    """A child has none of its parent's locks. It would write into a log that its parent removes, so a logout would be undone."""
    printed = run(
        sys.executable,
        """
        import asyncio, json, os, sys, warnings
        from conftest import token
        from jwtauth import Sessions, Unavailable
        # Python warns about forks of processes with threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        config, other = json.loads(sys.argv[1]), json.loads(sys.argv[2])
        sessions = Sessions(config)
        held = asyncio.run(sessions.login_async(token())).token

        def codes():
            # Not the sessions of the parent, and no others.
            for verb in (
                lambda: sessions.revoke(held),
                lambda: asyncio.run(sessions.authorize_async(held)),
                lambda: Sessions(config).authorize(held),
                lambda: Sessions(other).login(token()),
            ):
                try:
                    verb()
                except Unavailable as failure:
                    yield failure.code, "used SQLite before it forked" in (failure.detail or "")

        child = os.fork()
        if child == 0:
            refused = list(codes()) == [("store_unavailable", True)] * 4
            # What the child has of its parent's connections is left alone, also when it is freed.
            del sessions
            os._exit(0 if refused else 1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(status, sessions.authorize(held).subject, sessions.revoke(held))
        """,
        json.dumps(in_file(tmp_path)),
        json.dumps(in_file(tmp_path / "other")),
    )
    assert printed == "0 alice None"


def test_sessions_in_memory_belong_to_the_process_that_used_them() -> None:
    printed = run(
        sys.executable,
        """
        import json, os, sys
        from conftest import token
        from jwtauth import Sessions, Unavailable
        sessions, fresh = Sessions(json.loads(sys.argv[1])), Sessions(json.loads(sys.argv[1]))
        held = sessions.login(token()).token
        child = os.fork()
        if child == 0:
            try:
                sessions.authorize(held)
            except Unavailable as failure:
                # Sessions that the parent did not use are usable.
                own = fresh.authorize(fresh.login(token()).token).subject
                os._exit(0 if (failure.code, own) == ("store_unavailable", "alice") else 1)
            os._exit(2)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), sessions.authorize(held).subject)
        """,
        json.dumps(keeping()),
    )
    assert printed == "0 alice"


def test_thousands_of_verbs_leak_nothing() -> None:
    printed = run(
        sys.executable,
        """
        import gc, json, resource, sys, tracemalloc
        from conftest import token
        import jwtauth
        config = json.loads(sys.argv[1])
        sessions = jwtauth.Sessions(config)
        good, bad = token(), token(exp=1)
        request = json.dumps({"token": good})

        def call():
            login = sessions.login(good, meta={"a": "b"})
            login.response, repr(login), login.session.identity.lists, login.session.to_dict()
            session = sessions.authorize(login.token, "10.0.0.1")
            session.entitlements, session.bound_cidrs, session.period, hash(session)
            sessions.renew(login.token, 60)
            sessions.revoke(login.token)
            sessions.call_json("revoke", json.dumps({"token": json.loads(sessions.call_json("login", request))["token"]}))
            for wrong in (lambda: sessions.login(bad), lambda: sessions.authorize(1), lambda: sessions.lookup(login.token)):
                try:
                    wrong()
                except (jwtauth.Error, TypeError):
                    pass

        def many(calls):
            for number in range(calls):
                call()
                if number % 100 == 0:
                    sessions.reload(config)
                    jwtauth.Sessions(config)

        def left():
            gc.collect()
            return len(gc.get_objects()), tracemalloc.get_traced_memory()[0]

        peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        many(500)
        resident = peak()
        many(1500)
        resident = peak() - resident
        tracemalloc.start()
        many(20)
        objects, traced = left()
        many(300)
        now = left()
        print(now[0] - objects, now[1] - traced, resident)
        """,
        json.dumps({**CONFIG, "sessions": {"store": {"memory": {"max_sessions": 10}}}}),
    )
    objects, traced, resident = map(int, printed.split())
    assert objects < 50
    assert traced < 20_000
    assert resident < (2_500 if sys.platform == "linux" else 2_500 * 1024)
