"""Sessions on event loops: the same outcomes, and an event loop that does not wait for a store."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from conftest import NOW, PUBLIC_KEYS, PUBLIC_TOKEN, remote, token
from sessions_config import PUBLIC_NOW, at, in_file, keeping, locked, public_pem

import jwtauth._async
from jwtauth import ArgumentError, ConfigError, Denied, FetchRequest, FetchResponse, Login, Sessions, Unavailable


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_each_verb_has_the_outcome_that_it_has_without_an_event_loop(tmp_path: Path, store: str) -> None:
    config = keeping() if store == "memory" else in_file(tmp_path)

    async def main() -> None:
        sessions = Sessions(config)
        login = await sessions.login_async(token())
        assert login.accessor is not None
        assert await sessions.authorize_async(login.token) == sessions.authorize(login.token)
        assert await sessions.authorize_async(login.token, "10.0.0.1") == login.session
        assert await sessions.lookup_async(login.token) == login.session
        assert await sessions.lookup_accessor_async(login.accessor) == login.session
        assert (await sessions.renew_async(login.token)).session == login.session
        assert (await sessions.renew_async(login.token, increment=60)).session.ttl == 60
        assert await sessions.sweep_async() == 0
        later = await sessions.reload_async(at(config, NOW + 30))
        assert (await later.lookup_async(login.token)).ttl == 30
        reply = await sessions.call_json_async("lookup", json.dumps({"token": login.token}))
        assert json.loads(reply)["outcome"] == "session"
        assert await sessions.revoke_async(login.token) is None  # type: ignore[func-returns-value]
        with pytest.raises(Denied) as caught:
            await sessions.authorize_async(login.token)
        assert caught.value.code == "session_unknown"
        second, third = await asyncio.gather(sessions.login_async(token()), sessions.login_async(token(sub="bob")))
        assert second.accessor is not None
        await sessions.revoke_accessor_async(second.accessor)
        assert await sessions.revoke_all_async(subject="bob") == 1
        assert await sessions.revoke_all_async(profile="") == 0
        with pytest.raises(Denied):
            await sessions.lookup_async(third.token)

    asyncio.run(main())


def test_sessions_in_memory_answer_without_a_thread() -> None:
    async def main() -> None:
        sessions = Sessions(keeping())
        before = set(threading.enumerate())
        login = await sessions.login_async(token())
        await sessions.authorize_async(login.token)
        await sessions.renew_async(login.token)
        await sessions.revoke_async(login.token)
        # Threads of earlier tests may end meanwhile.
        assert set(threading.enumerate()) <= before
        assert sessions not in jwtauth._async._threads

    asyncio.run(main())


@pytest.mark.parametrize("verb", ["login", "revoke", "sweep", "call_json"])
def test_an_event_loop_runs_while_a_store_is_waited_for(tmp_path: Path, verb: str) -> None:
    """Another process holds the lock until the event loop has run. If the loop waited, it would never be released."""

    async def main() -> None:
        sessions = Sessions(in_file(tmp_path))
        held = sessions.login(token()).token
        calls: dict[str, Any] = {
            "login": lambda: sessions.login_async(token()),
            "revoke": lambda: sessions.revoke_async(held),
            "sweep": lambda: sessions.sweep_async(),
            "call_json": lambda: sessions.call_json_async("revoke", json.dumps({"token": held})),
        }
        with locked(tmp_path / "sessions.db"):
            task = asyncio.create_task(calls[verb]())
            for _ in range(10):
                await asyncio.sleep(0)
            assert not task.done()
        await task

    asyncio.run(main())


def test_stores_do_not_use_the_default_executor(tmp_path: Path) -> None:
    async def main() -> None:
        sessions = Sessions(in_file(tmp_path))
        await sessions.login_async(token())
        names = {thread.name for thread in threading.enumerate()}
        assert any(name.startswith("jwtauth-sessions") for name in names)
        assert not any(name.startswith("asyncio") for name in names)

    asyncio.run(main())


def test_the_threads_end_with_the_sessions(tmp_path: Path) -> None:
    def ours() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name.startswith("jwtauth-sessions")]

    async def main() -> list[threading.Thread]:
        before = ours()
        sessions = Sessions(in_file(tmp_path))
        await sessions.login_async(token())
        return [thread for thread in ours() if thread not in before]

    threads = asyncio.run(main())
    assert threads
    for thread in threads:
        thread.join()


def test_a_cancelled_login_stops_waiting(tmp_path: Path) -> None:
    async def main() -> None:
        sessions = Sessions(in_file(tmp_path))
        sessions.login(token())
        with locked(tmp_path / "sessions.db"):
            task = asyncio.create_task(sessions.login_async(token()))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert (await sessions.login_async(token())).session.subject == "alice"

    asyncio.run(main())


def ended(token: str, sessions: Sessions) -> bool:
    """Whether the session has ended when the verbs before this one are done: the only thread does them in turn."""
    try:
        asyncio.run(sessions.lookup_async(token))
    except Denied as refusal:
        return refusal.code == "session_unknown"
    return False


@pytest.mark.parametrize("earlier", [0, 1], ids=["a thread does it", "all threads are taken"])
@pytest.mark.parametrize("end", ["cancelled", "with its event loop"])
def test_a_cancelled_verb_has_its_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, earlier: int, end: str
) -> None:
    """A logout must not be lost because the caller has no time to wait for the store."""
    monkeypatch.setattr(jwtauth._async, "_MOST_THREADS", 1)
    sessions = Sessions(in_file(tmp_path))
    held = [sessions.login(token()).token for _ in range(earlier + 1)]

    async def main() -> None:
        tasks = [asyncio.create_task(sessions.revoke_async(one)) for one in held]
        await asyncio.sleep(0)
        if end == "cancelled":
            tasks[-1].cancel()
            with pytest.raises(asyncio.CancelledError):
                await tasks[-1]
        # What still waits is cancelled with the event loop.

    with locked(tmp_path / "sessions.db"):
        asyncio.run(main())
    assert all(ended(one, sessions) for one in held)
    assert not caplog.records


def test_a_failure_of_a_cancelled_verb_is_not_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(jwtauth._async, "_MOST_THREADS", 1)
    complaints: list[object] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))
        sessions = Sessions(in_file(tmp_path))
        sessions.login(token())
        with locked(tmp_path / "sessions.db"):
            tasks = [asyncio.create_task(sessions.revoke_async(unknown)) for unknown in ("jas.a", "jas.b")]
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
        # The only thread does this one after the others, and the loop then hears of their ends.
        assert await sessions.sweep_async() == 0
        await asyncio.to_thread(lambda: None)
        del tasks, task
        gc.collect()

    asyncio.run(main())
    assert complaints == []
    assert not caplog.records


def test_a_verb_without_a_thread_has_no_effect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(in_file(tmp_path))
    held = sessions.login(token()).token

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def main() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", start)
            for _ in range(3):
                with pytest.raises(RuntimeError, match="can't start new thread"):
                    await sessions.revoke_async(held)
        # The work that was not begun is not done later, after its failure was reported.
        assert (await sessions.lookup_async(held)).subject == "alice"

    monkeypatch.setattr(jwtauth._async, "_MOST_CALLS", 1)
    monkeypatch.setattr(jwtauth._async, "_MOST_THREADS", 1)
    asyncio.run(main())


def test_a_verb_uses_the_arguments_that_it_was_given(tmp_path: Path) -> None:
    """A caller may change its mappings before the verb reads them, which it does later and on another thread."""
    keys = [public_pem()]
    settings = {"JWTValidationPubKeys": keys, "BoundAudiences": ["api"], "ClaimMappings": {"sub": "sub"}}
    method = {"Name": "web", "Type": "jwt", "Config": settings}
    rules = [{"BindType": "role", "BindName": "reader"}]
    consul = {"dialect": "consul", "config": {"AuthMethod": method, "BindingRules": rules}, "options": {"now": PUBLIC_NOW}}
    config = in_file(tmp_path)

    async def main() -> None:
        meta = {"pod": "alice"}
        call = Sessions({**consul, "sessions": {}}).login_async(PUBLIC_TOKEN, meta=meta)
        meta["pod"] = "bob"
        assert json.dumps({"pod": "alice"}, separators=(",", ":")) in (await call).response["Description"]
        sessions = Sessions(config)
        held = sessions.login(token()).token
        changed = at(config, NOW + 30)
        later = sessions.reload_async(changed)
        changed["options"]["now"] = NOW + 60
        assert (await (await later).lookup_async(held)).ttl == 3570

    asyncio.run(main())


def test_a_call_fails_at_once_if_too_many_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwtauth._async, "_MOST_CALLS", 2)
    monkeypatch.setattr(jwtauth._async, "_MOST_THREADS", 1)

    async def main() -> None:
        sessions = Sessions(in_file(tmp_path))
        sessions.login(token())
        with locked(tmp_path / "sessions.db"):
            waiting = [asyncio.create_task(sessions.login_async(token())) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(Unavailable) as caught:
                await sessions.login_async(token())
            assert (caught.value.code, caught.value.stage) == ("store_unavailable", "session")
            assert caught.value.message == "the session store is unavailable"
            assert caught.value.detail == "2 calls wait for the store already"
            # The store still has the work of a cancelled call, so that the call counts until the work is done.
            waiting[0].cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting[0]
            with pytest.raises(Unavailable):
                await sessions.login_async(token())
        assert (await waiting[1]).session.subject == "alice"
        # The same thread does both, so that the cancelled call ended before.
        assert (await sessions.login_async(token())).session.subject == "alice"

    asyncio.run(main())


def test_mistakes_are_raised_by_the_await() -> None:
    async def main() -> None:
        sessions: Any = Sessions(keeping())
        wrong = [
            (TypeError, sessions.login_async(1)),
            (TypeError, sessions.login_async(token(), headers={"a": 1})),
            (TypeError, sessions.reload_async(1)),
            (ConfigError, sessions.reload_async({"a": float("nan")})),
            (ArgumentError, sessions.reload_async("\ud800")),
            (TypeError, sessions.login_async(token(), meta=1)),
            (ArgumentError, sessions.login_async(token(), meta={"a": "\ud800"})),
            (Denied, sessions.login_async("a.b.c")),
            (TypeError, sessions.authorize_async(1)),
            (ArgumentError, sessions.authorize_async("\ud800")),
            (ValueError, sessions.renew_async("jas.x", -1)),
            (ArgumentError, sessions.revoke_all_async()),
            (ValueError, sessions.call_json_async("reload", "{}")),
        ]
        outcomes = await asyncio.gather(*(coroutine for _, coroutine in wrong), return_exceptions=True)
        for (kind, _), outcome in zip(wrong, outcomes, strict=True):
            assert isinstance(outcome, kind)
        assert sessions.revoke_all(profile="") == 0

    asyncio.run(main())


def test_logins_share_one_fetch() -> None:
    asked: list[FetchRequest] = []

    def fetch(request: FetchRequest) -> FetchResponse:
        asked.append(request)
        return FetchResponse(200, json.dumps(PUBLIC_KEYS).encode())

    async def main() -> list[Login]:
        sessions = Sessions({**remote("https://issuer.example/keys"), "sessions": {}}, fetch=fetch)
        return await asyncio.gather(*(sessions.login_async(PUBLIC_TOKEN) for _ in range(20)))

    logins = asyncio.run(main())
    assert len({login.token for login in logins}) == 20
    assert len(asked) == 1


def test_an_unreachable_store_is_unavailable(tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(Unavailable):
            await Sessions(in_file(tmp_path / "none")).login_async(token())

    asyncio.run(main())
