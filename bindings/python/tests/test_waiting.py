"""Who waits while keys are fetched, and who goes on: threads, event loops, and processes that were forked."""

from __future__ import annotations

import _thread
import asyncio
import json
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from conftest import CLAIMS, CONFIG, NOW, PATIENCE, PUBLIC_TOKEN, KeyServer, remote, run, token

from jwtauth import ArgumentError, Explanation, FetchRequest, FetchResponse, Grant, Unavailable, Verifier

# Threads


@pytest.mark.parametrize(
    "call",
    [
        lambda verifier: verifier.authenticate(PUBLIC_TOKEN),
        lambda verifier: verifier.authenticate_json(f'{{"token":"{PUBLIC_TOKEN}"}}'),
        lambda verifier: asyncio.run(verifier.authenticate_async(PUBLIC_TOKEN)),
        lambda verifier: verifier.refresh_keys(),
    ],
    ids=["authenticate", "authenticate_json", "authenticate_async", "refresh_keys"],
)
def test_other_threads_run_while_one_waits_for_a_server(
    key_server: KeyServer, call: Callable[[Verifier], object]
) -> None:
    """The server answers only after another thread has run. If the call kept the GIL, that thread could not."""
    key_server.silent = 1000
    verifier = Verifier(remote(key_server.url, timeout="60s", proxy="none"))
    returned = threading.Event()
    seen: list[bool] = []

    def other() -> None:
        assert key_server.asked.wait(PATIENCE)
        seen.append(returned.is_set())
        key_server.released.set()

    thread = threading.Thread(target=other)
    thread.start()
    call(verifier)
    returned.set()
    thread.join()
    assert seen == [False]
    assert key_server.requests == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda verifier: verifier.authenticate(PUBLIC_TOKEN),
        lambda verifier: verifier.authenticate_json(f'{{"token":"{PUBLIC_TOKEN}"}}'),
        lambda verifier: verifier.refresh_keys(),
    ],
    ids=["authenticate", "authenticate_json", "refresh_keys"],
)
def test_ctrl_c_interrupts_the_wait_for_a_server(key_server: KeyServer, call: Callable[[Verifier], object]) -> None:
    """The server is silent until the interrupt was seen, and the fetch then ends with keys."""
    key_server.silent = 1000
    verifier = Verifier(remote(key_server.url, timeout="60s", proxy="none"))

    def interrupt() -> None:
        key_server.asked.wait(PATIENCE)
        _thread.interrupt_main()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        call(verifier)
    thread.join()
    assert not key_server.released.is_set()
    key_server.released.set()
    # The fetch continued: this call waits for it, and does not make another one.
    assert verifier.authenticate(PUBLIC_TOKEN).identity.name is not None
    assert key_server.requests == 1


def test_many_threads_share_the_first_fetch(key_server: KeyServer) -> None:
    key_server.silent = 1000
    verifier = Verifier(remote(key_server.url, timeout="60s", proxy="none"))
    begin = threading.Barrier(65)

    def decide() -> str | None:
        begin.wait()
        return verifier.authenticate(PUBLIC_TOKEN).identity.name

    with ThreadPoolExecutor(64) as pool:
        names = [pool.submit(decide) for _ in range(64)]
        begin.wait()
        key_server.released.set()
        assert [name.result() for name in names] == ["alice"] * 64
    assert key_server.requests == 1


# Event loops


async def outcomes(verifier: Verifier, number: int) -> list[Grant | BaseException]:
    calls = (verifier.authenticate_async(PUBLIC_TOKEN) for _ in range(number))
    return await asyncio.gather(*calls, return_exceptions=True)


def test_other_tasks_run_while_some_wait_for_a_server(key_server: KeyServer) -> None:
    key_server.silent = 1000
    verifier = Verifier(remote(key_server.url, timeout="60s", proxy="none"))

    async def main() -> list[Grant | BaseException]:
        pending = asyncio.ensure_future(outcomes(verifier, 200))
        while not key_server.asked.is_set():
            await asyncio.sleep(0)
        # What needs asyncio's threads, as looking up a host's name does, finds some.
        await asyncio.gather(*(asyncio.to_thread(lambda: None) for _ in range(100)))
        assert not pending.done()
        key_server.released.set()
        return await pending

    replies = asyncio.run(main())
    assert [isinstance(reply, Grant) for reply in replies] == [True] * 200
    assert key_server.requests == 1


@contextmanager
def silent_servers(number: int) -> Iterator[list[KeyServer]]:
    """Key servers that accept requests and do not answer until they are released."""
    with ExitStack() as stack:
        servers = [stack.enter_context(KeyServer.started()) for _ in range(number)]
        for server in servers:
            server.silent = 1000
        yield servers


def several(servers: list[KeyServer], **settings: Any) -> Verifier:
    config = remote("")
    config["config"]["keys"] = [{"jwks_url": server.url, "proxy": "none", **settings} for server in servers]
    return Verifier(config)


def wait_for_requests(servers: list[KeyServer]) -> None:
    for server in servers:
        assert server.asked.wait(PATIENCE)


def release(servers: list[KeyServer]) -> None:
    for server in servers:
        server.released.set()


class TestSeveralSourcesThatHang:
    """The sources are waited for together: no server answers before each was asked."""

    NUMBER = 7
    """More sources than asyncio's default executor has threads on a small machine."""

    def test_tasks_wait_for_them_together_and_leave_the_executor_alone(self) -> None:
        with silent_servers(self.NUMBER) as servers:
            verifier = several(servers, timeout="60s")

            async def main() -> tuple[list[Grant | BaseException], int]:
                pending = asyncio.ensure_future(outcomes(verifier, 40))
                while not all(server.asked.is_set() for server in servers):
                    await asyncio.sleep(0)
                # No thread of the executor is taken: these run while all calls wait.
                unrelated = await asyncio.gather(*(asyncio.to_thread(lambda: 1) for _ in range(100)))
                assert not pending.done()
                release(servers)
                return await pending, sum(unrelated)

            replies, unrelated = asyncio.run(main())
            assert [isinstance(reply, Grant) for reply in replies] == [True] * 40
            assert unrelated == 100
            assert [server.requests for server in servers] == [1] * self.NUMBER

    def test_threads_wait_for_them_together(self) -> None:
        with silent_servers(self.NUMBER) as servers:
            verifier = several(servers, timeout="60s")
            with ThreadPoolExecutor(40) as pool:
                names = [pool.submit(lambda: verifier.authenticate(PUBLIC_TOKEN).identity.name) for _ in range(40)]
                wait_for_requests(servers)
                release(servers)
                assert [name.result() for name in names] == ["alice"] * 40
            assert [server.requests for server in servers] == [1] * self.NUMBER

    def test_a_refresh_waits_for_them_together(self) -> None:
        with silent_servers(self.NUMBER) as servers:
            verifier = several(servers, timeout="60s")
            with ThreadPoolExecutor(1) as pool:
                refreshed = pool.submit(verifier.refresh_keys)
                wait_for_requests(servers)
                release(servers)
                assert [source["state"] for source in refreshed.result()] == ["fresh"] * self.NUMBER

    def test_calls_end_when_the_deadline_of_one_source_has_passed(self) -> None:
        with silent_servers(3) as servers:
            verifier = several(servers, timeout="1s")
            replies = asyncio.run(outcomes(verifier, 40))
            wait_for_requests(servers)
            assert {getattr(reply, "code", None) for reply in replies} == {"key_source_unavailable"}
            assert [server.requests for server in servers] == [1, 1, 1]


def test_a_refresh_in_flight_does_not_delay_calls_with_cached_keys(key_server: KeyServer) -> None:
    verifier = Verifier(remote(key_server.url, timeout="60s", cache_ttl="0s", cool_down="0s", proxy="none"))
    assert verifier.authenticate(PUBLIC_TOKEN)
    key_server.silent = 1000

    async def main() -> None:
        waiting = asyncio.ensure_future(verifier.authenticate_async(PUBLIC_TOKEN))
        while key_server.requests < 2:
            await asyncio.sleep(0)
        grant = await verifier.authenticate_async(PUBLIC_TOKEN, cached_only=True)
        assert grant.identity.name == "alice"
        assert not waiting.done()
        key_server.released.set()
        await waiting

    asyncio.run(main())


def test_many_tasks_share_the_first_fetch(key_server: KeyServer) -> None:
    verifier = Verifier(remote(key_server.url, timeout="60s", proxy="none"))
    replies = asyncio.run(outcomes(verifier, 200))
    assert {reply.identity.name for reply in replies if isinstance(reply, Grant)} == {"alice"}
    assert len(replies) == 200
    assert key_server.requests == 1


def test_loops_of_several_threads_share_a_verifier(key_server: KeyServer) -> None:
    verifier = Verifier(remote(key_server.url, timeout="60s", proxy="none"))
    with ThreadPoolExecutor(8) as pool:
        replies = sum(pool.map(lambda _: asyncio.run(outcomes(verifier, 20)), range(8)), [])
    assert [isinstance(reply, Grant) for reply in replies] == [True] * 160
    assert key_server.requests == 1


async def stop_waiting(verifier: Verifier, key_server: KeyServer) -> None:
    """Cancels a call while the server is silent."""
    call = asyncio.ensure_future(verifier.authenticate_async(PUBLIC_TOKEN))
    while not key_server.asked.is_set():
        await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


def test_who_stops_waiting_does_not_stop_the_fetch(key_server: KeyServer) -> None:
    key_server.silent = 1000
    verifier = Verifier(remote(key_server.url, timeout="60s", proxy="none"))
    complaints: list[object] = []

    async def main() -> Grant:
        asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))
        for _ in range(3):
            await stop_waiting(verifier, key_server)
        last = asyncio.ensure_future(verifier.authenticate_async(PUBLIC_TOKEN))
        await asyncio.sleep(0)
        key_server.released.set()
        return await last

    assert asyncio.run(main()).identity.name == "alice"
    assert complaints == []
    assert key_server.requests == 1


def test_a_failure_without_a_waiting_call_is_not_logged(key_server: KeyServer) -> None:
    key_server.silent = 1000
    verifier = Verifier(remote(key_server.url.replace("/keys", "/error"), timeout="60s", proxy="none"))
    complaints: list[object] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))
        await stop_waiting(verifier, key_server)
        key_server.released.set()
        while not verifier.policy()["key_status"][0]["failing"]:
            await asyncio.sleep(0)
        # The loop hears of the end of the fetch.
        await asyncio.to_thread(lambda: None)

    asyncio.run(main())
    assert complaints == []


# Arguments that change while a call waits


def with_secrets(url: str) -> dict[str, Any]:
    """A configuration that fetches the secret of ``token``."""
    keys = [{"jwks_url": url, "insecure_symmetric_keys": True}]
    config = {"keys": keys, "algorithms": ["HS256"], "audiences": ["api"], "issuer": CLAIMS["iss"]}
    return {"dialect": "native", "config": {**config, "identity": {"name": "sub"}}, "options": {"now": NOW}}


async def decided(call: Awaitable[Grant | Explanation]) -> Grant:
    """The grant of either form of a call."""
    outcome = await call
    decision = outcome if isinstance(outcome, Grant) else outcome.decision
    assert isinstance(decision, Grant)
    return decision


@pytest.mark.parametrize("method", [Verifier.authenticate_async, Verifier.explain_async], ids=["authenticate", "explain"])
@pytest.mark.parametrize("when", ["before the first step", "while keys are fetched"])
def test_a_call_decides_the_headers_that_it_was_given(method: Callable[..., Awaitable[Any]], when: str) -> None:
    """A framework may use its mapping of headers again, for another request."""
    asked, changed = threading.Event(), threading.Event()

    def fetch(request: FetchRequest) -> FetchResponse:
        asked.set()
        assert changed.wait(PATIENCE)
        return FetchResponse(200, json.dumps({"keys": [{"kty": "oct", "k": CONFIG["config"]["keys"][0]["secret"]}]}).encode())

    async def main() -> Grant:
        headers = {"Authorization": f"Bearer {token()}"}
        verifier = Verifier(with_secrets("https://issuer.example/keys"), fetch=fetch)
        call = asyncio.ensure_future(decided(method(verifier, headers=headers)))
        while when == "while keys are fetched" and not asked.is_set():
            await asyncio.sleep(0)
        headers["Authorization"] = f"Bearer {token(sub='bob')}"
        changed.set()
        return await call

    assert asyncio.run(main()).identity.name == "alice"


def test_mistakes_in_the_arguments_are_raised_by_the_await(verifier: Verifier) -> None:
    class Headers(dict[str, str]):
        def items(self) -> Any:
            raise LookupError("no items")

    wrong: list[tuple[type[Exception], dict[str, Any]]] = [
        (TypeError, {"token": 1}),
        (TypeError, {"headers": {"Authorization": b"Bearer"}}),
        (LookupError, {"headers": Headers()}),
        (ArgumentError, {"token": "\ud800"}),
    ]

    async def main() -> None:
        for kind, arguments in wrong:
            call = verifier.authenticate_async(**arguments)
            with pytest.raises(kind):
                await call
            if kind is not ArgumentError:
                explanation = verifier.explain_async(**arguments)
                with pytest.raises(kind):
                    await explanation

    asyncio.run(main())


# Forked processes


FORKING = """
    import os, sys, threading, urllib.error, urllib.request, warnings
    from conftest import PUBLIC_TOKEN, Verifier, remote
    from jwtauth import FetchResponse

    # Newer Python versions warn of a fork in a process with several threads.
    warnings.simplefilter("ignore", DeprecationWarning)

    def fetch(request):
        with urllib.request.urlopen(request.url, timeout=request.timeout) as answer:
            return FetchResponse(answer.status, answer.read())

    url, client = sys.argv[1:]
    verifier = Verifier(remote(url, timeout="60s", proxy="none"), fetch=fetch if client == "own" else None)

    def decide():
        return verifier.authenticate(PUBLIC_TOKEN).identity.name

    def control(path):
        # The server answers with 404, after it did what the path says.
        try:
            urllib.request.urlopen(url.replace("/keys", path))
        except urllib.error.HTTPError as answer:
            answer.close()

    def children(number):
        for _ in range(number):
            if os.fork() == 0:
                os._exit(0 if decide() == "alice" else 1)
        return [os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(number)]
"""


@pytest.mark.parametrize("client", ["built-in", "own"])
class TestForks:
    def test_with_a_warm_cache(self, key_server: KeyServer, client: str) -> None:
        script = FORKING + "    verifier.refresh_keys()\n    print(children(4), decide())"
        assert run(sys.executable, script, key_server.url, client) == "[0, 0, 0, 0] alice"
        assert key_server.requests == 1

    def test_with_a_cold_cache(self, key_server: KeyServer, client: str) -> None:
        script = FORKING + "    print(children(4), decide())"
        assert run(sys.executable, script, key_server.url, client) == "[0, 0, 0, 0] alice"
        assert key_server.requests == 5

    def test_with_a_fetch_in_flight(self, key_server: KeyServer, client: str) -> None:
        key_server.silent = 1
        script = """
    names = []
    threads = [threading.Thread(target=lambda: names.append(decide())) for _ in range(4)]
    for thread in threads:
        thread.start()
    control("/asked")
    # The parent's fetch ends only after the children have ended, so they cannot have waited for it.
    codes = children(4)
    waiting = len(names)
    control("/release")
    for thread in threads:
        thread.join()
    print(codes, waiting, names)
"""
        printed = run(sys.executable, FORKING + script, key_server.url, client)
        assert printed == "[0, 0, 0, 0] 0 ['alice', 'alice', 'alice', 'alice']"
        # The fetch of the parent, and one of each child.
        assert key_server.requests == 5


def test_processes_of_a_pool_start_with_the_keys(key_server: KeyServer) -> None:
    script = """
    import multiprocessing, sys
    from conftest import PUBLIC_TOKEN, Verifier, remote

    verifier = Verifier(remote(sys.argv[1], proxy="none"))
    verifier.refresh_keys()

    def decide(_):
        return verifier.authenticate(PUBLIC_TOKEN).identity.name

    with multiprocessing.get_context("fork").Pool(3) as pool:
        print(set(pool.map(decide, range(100))))
    """
    assert run(sys.executable, script, key_server.url) == "{'alice'}"
    assert key_server.requests == 1
