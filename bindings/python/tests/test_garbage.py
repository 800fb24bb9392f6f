"""The garbage collector, and the functions of an application that refer to their verifier.

Such a cycle is freed when nothing can call the functions any more, and not while a fetch still can. Each test runs in a process
of its own, because a call of a function without its module or its closure ends the process."""

from __future__ import annotations

import sys

import pytest
from conftest import run

SERVICE = """
    import asyncio, gc, json, os, signal, sys, threading, traceback, weakref
    import _thread
    import jwtauth._async
    from conftest import PATIENCE, PUBLIC_KEYS, PUBLIC_TOKEN, KeyServer, remote
    from jwtauth import FetchResponse, Sessions, Verifier

    # A process that a shell starts in the background would ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    seen = []
    fetched = threading.Event()

    def fail(raised):
        # What a function raises would change no decision, and the test would wait for the function's effect.
        traceback.print_exception(raised.exc_type, raised.exc_value, raised.exc_traceback)
        os._exit(1)

    sys.unraisablehook = fail

    class Service:
        def __init__(self, url, function, fetches=False):
            self.seen, self.fetched = seen, fetched
            names = ("on_event", "fetch") if fetches else ("on_event",)
            if function == "method":
                given = {name: getattr(self, name) for name in names}
            else:
                # Functions with a closure that leads to the verifier.
                given = {"on_event": lambda event: self.on_event(event), "fetch": lambda request: self.fetch(request)}
                given = {name: given[name] for name in names}
            config = remote(url, timeout="60s", **({} if fetches else {"proxy": "none"}))
            self.sessions = Sessions({**config, "sessions": {}}, **given)
            self.verifier = Verifier(config, **given)

        def on_event(self, event):
            self.seen.append(f"{event['event']} {event['outcome']}")
            if event["event"] == "fetch":
                self.fetched.set()

        def fetch(self, request):
            return FetchResponse(200, json.dumps(PUBLIC_KEYS).encode())

    CALLS = {
        "authenticate": lambda service: service.verifier.authenticate(PUBLIC_TOKEN),
        "authenticate_json": lambda service: service.verifier.authenticate_json(json.dumps({"token": PUBLIC_TOKEN})),
        "authenticate_many": lambda service: service.verifier.authenticate_many([PUBLIC_TOKEN]),
        "explain": lambda service: service.verifier.explain(PUBLIC_TOKEN),
        "explain_json": lambda service: service.verifier.explain_json(json.dumps({"token": PUBLIC_TOKEN})),
        "refresh_keys": lambda service: service.verifier.refresh_keys(),
        "login": lambda service: service.sessions.login(PUBLIC_TOKEN),
        "authenticate_async": lambda service: service.verifier.authenticate_async(PUBLIC_TOKEN),
        "explain_async": lambda service: service.verifier.explain_async(PUBLIC_TOKEN),
        "login_async": lambda service: service.sessions.login_async(PUBLIC_TOKEN),
    }

    async def until(event):
        while not event.is_set():
            await asyncio.sleep(0)

    def wait_until_freed(reference):
        # The thread of a fetch that has ended releases the functions shortly afterwards.
        while reference() is not None:
            gc.collect()

    call, function = CALLS[sys.argv[1]], sys.argv[2]
"""

FUNCTIONS = pytest.mark.parametrize("function", ["lambda", "method"])
ASYNC_CALLS = pytest.mark.parametrize("call", ["authenticate_async", "explain_async", "login_async"])


@FUNCTIONS
@ASYNC_CALLS
def test_a_call_that_waits_for_keys_keeps_the_functions(call: str, function: str) -> None:
    script = """
    async def main(server):
        service = Service(server.url, function)
        reference = weakref.ref(service)
        task = asyncio.ensure_future(call(service))
        await until(server.asked)
        # As after a reload: only the call refers to the service.
        del service
        gc.collect()
        server.released.set()
        assert await task
        del task
        wait_until_freed(reference)
        print(seen)

    with KeyServer.started() as server:
        server.silent = 1000
        asyncio.run(main(server))
    """
    assert run(sys.executable, SERVICE + script, call, function) == "['fetch fetched', 'decision granted']"


@FUNCTIONS
@ASYNC_CALLS
def test_a_fetch_that_goes_on_after_a_cancelled_call_keeps_the_functions(call: str, function: str) -> None:
    script = """
    async def main(server):
        service = Service(server.url, function)
        reference = weakref.ref(service)
        task = asyncio.ensure_future(call(service))
        await until(server.asked)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        del service, task
        gc.collect()
        server.released.set()
        await until(fetched)
        wait_until_freed(reference)
        print(seen)

    with KeyServer.started() as server:
        server.silent = 1000
        asyncio.run(main(server))
    """
    assert run(sys.executable, SERVICE + script, call, function) == "['fetch fetched']"


@FUNCTIONS
@pytest.mark.parametrize(
    "call",
    ["authenticate", "authenticate_json", "authenticate_many", "explain", "explain_json", "refresh_keys", "login"],
)
def test_a_fetch_that_goes_on_after_an_interrupted_call_keeps_the_functions(call: str, function: str) -> None:
    script = """
    def interrupt(server):
        server.asked.wait(PATIENCE)
        _thread.interrupt_main()

    with KeyServer.started() as server:
        server.silent = 1000
        thread = threading.Thread(target=interrupt, args=(server,))
        thread.start()
        service = Service(server.url, function)
        reference = weakref.ref(service)
        try:
            call(service)
        except KeyboardInterrupt:
            print("interrupted")
        thread.join()
        del service
        gc.collect()
        server.released.set()
        assert fetched.wait(PATIENCE)
        wait_until_freed(reference)
    print(seen)
    """
    assert run(sys.executable, SERVICE + script, call, function) == "interrupted\n['fetch fetched']"


@FUNCTIONS
@ASYNC_CALLS
def test_a_fetch_that_has_not_begun_keeps_the_functions(call: str, function: str) -> None:
    script = """
    begin = threading.Event()

    class Thread(threading.Thread):
        def run(self):
            begin.wait(PATIENCE)
            super().run()

    jwtauth._async.Thread = Thread

    async def main():
        service = Service("https://issuer.example/keys", function, fetches=True)
        reference = weakref.ref(service)
        task = asyncio.ensure_future(call(service))
        while not jwtauth._async._in_flight:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        del service, task
        gc.collect()
        begin.set()
        await until(fetched)
        wait_until_freed(reference)
        print(seen)

    asyncio.run(main())
    """
    assert run(sys.executable, SERVICE + script, call, function) == "['fetch fetched']"


@FUNCTIONS
@ASYNC_CALLS
def test_a_call_that_only_its_function_refers_to_is_freed(call: str, function: str) -> None:
    """The cycle leads through the call, which waits for keys and is never continued."""
    script = """
    async def main(server):
        service = Service(server.url, function)
        reference = weakref.ref(service)
        service.call = call(service)
        service.call.send(None)
        server.released.set()
        await until(fetched)
        while jwtauth._async._in_flight:
            await asyncio.sleep(0)
        # The call hears of the end of the fetch.
        await asyncio.to_thread(lambda: None)
        del service
        while reference() is not None:
            await asyncio.sleep(0)
            gc.collect()
        print(seen)

    with KeyServer.started() as server:
        server.silent = 1000
        asyncio.run(main(server))
    """
    assert run(sys.executable, SERVICE + script, call, function) == "['fetch fetched']"
