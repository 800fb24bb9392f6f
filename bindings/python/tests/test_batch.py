"""Many tokens in one call: each outcome is that of the token alone."""

from __future__ import annotations

import _thread
import json
import signal
import threading
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import pytest
from conftest import PATIENCE, PUBLIC_KEYS, PUBLIC_TOKEN, KeyServer, remote, token

from jwtauth import (
    ArgumentError,
    Denied,
    Error,
    FetchError,
    FetchRequest,
    FetchResponse,
    Grant,
    Unavailable,
    Verifier,
)

URL = "https://issuer.example/keys"


def alone(verifier: Verifier, text: str, **arguments: Any) -> Grant | Error:
    try:
        return verifier.authenticate(text, **arguments)
    except Error as why:
        return why


def shown(outcome: Grant | Error) -> object:
    return outcome.json if isinstance(outcome, Grant) else (type(outcome), vars(outcome), str(outcome))


def several() -> list[str]:
    some = [token(), "a.b.c", "", token(sub="bob"), "\ud800", token(None, b"another secret, of 32 bytes or more")]
    return some * 20


@pytest.mark.parametrize("threads", [None, 1, 3, 2**62])
def test_each_outcome_is_that_of_the_token_alone(verifier: Verifier, threads: int | None) -> None:
    outcomes = verifier.authenticate_many(several(), threads=threads)
    assert [shown(outcome) for outcome in outcomes] == [shown(alone(verifier, text)) for text in several()]
    assert [type(outcome) for outcome in outcomes[:6]] == [Grant, Denied, Denied, Grant, ArgumentError, Denied]


@pytest.mark.parametrize(
    "arguments",
    [{"profile": "closed"}, {"profile": "office"}, {"profile": "office", "remote_addr": "10.1.2.3"}, {"cached_only": True}],
)
def test_the_other_arguments_are_for_all_tokens(verifier: Verifier, arguments: dict[str, Any]) -> None:
    outcomes = verifier.authenticate_many(several(), **arguments)
    assert [shown(outcome) for outcome in outcomes] == [shown(alone(verifier, text, **arguments)) for text in several()]


def test_the_tokens_may_be_any_iterable(verifier: Verifier) -> None:
    def generated() -> Iterator[str]:
        yield token()
        yield "x"

    for tokens in (list(generated()), tuple(generated()), generated(), dict.fromkeys(generated())):
        granted, denied = verifier.authenticate_many(tokens)
        assert isinstance(granted, Grant)
        assert isinstance(denied, Denied)
    assert verifier.authenticate_many([]) == []


def test_wrong_arguments_are_refused_before_any_decision() -> None:
    asked: list[FetchRequest] = []

    def fetch(request: FetchRequest) -> FetchResponse:
        asked.append(request)
        raise FetchError("connect", "refused")

    def broken() -> Iterator[str]:
        yield PUBLIC_TOKEN
        raise LookupError

    verifier = Verifier(remote(URL), fetch=fetch)
    wrong: Any
    for wrong in (None, 1, PUBLIC_TOKEN, b"a.b.c", [PUBLIC_TOKEN, None], [PUBLIC_TOKEN, b"x"]):
        with pytest.raises(TypeError):
            verifier.authenticate_many(wrong)
    with pytest.raises(LookupError):
        verifier.authenticate_many(broken())
    for threads in (0, -1):
        with pytest.raises(ValueError, match="at least 1"):
            verifier.authenticate_many([PUBLIC_TOKEN], threads=threads)
    with pytest.raises(ArgumentError):
        verifier.authenticate_many([PUBLIC_TOKEN], profile="\ud800")
    assert asked == []


def test_keys_are_fetched_once_for_all_tokens(key_server: KeyServer) -> None:
    verifier = Verifier(remote(key_server.url, proxy="none"))
    outcomes = verifier.authenticate_many([PUBLIC_TOKEN, "a.b.c"] * 50)
    assert [isinstance(outcome, Grant) for outcome in outcomes] == [True, False] * 50
    assert key_server.requests == 1


def test_the_function_fetches_on_the_calling_thread() -> None:
    threads: list[int] = []

    def fetch(_: FetchRequest) -> FetchResponse:
        threads.append(threading.get_ident())
        return FetchResponse(200, json.dumps(PUBLIC_KEYS).encode())

    outcomes = Verifier(remote(URL), fetch=fetch).authenticate_many([PUBLIC_TOKEN] * 50)
    assert all(isinstance(outcome, Grant) for outcome in outcomes)
    assert threads == [threading.get_ident()]


def test_what_the_function_raised_is_the_cause_of_the_failures_that_waited_for_it() -> None:
    def fetch(_: FetchRequest) -> FetchResponse:
        raise FetchError("dns", "no such host")

    first, second, malformed = Verifier(remote(URL), fetch=fetch).authenticate_many([PUBLIC_TOKEN] * 2 + ["a.b.c"])
    for failed in (first, second):
        assert isinstance(failed, Unavailable)
        assert isinstance(failed.__cause__, FetchError)
    assert isinstance(malformed, Denied)
    assert malformed.__cause__ is None


def test_an_exception_that_ends_the_program_is_raised() -> None:
    def fetch(_: FetchRequest) -> FetchResponse:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        Verifier(remote(URL), fetch=fetch).authenticate_many([PUBLIC_TOKEN])


def test_ctrl_c_interrupts_the_wait_for_a_server(key_server: KeyServer) -> None:
    key_server.silent = 1000
    verifier = Verifier(remote(key_server.url, timeout="60s", proxy="none"))

    def interrupt() -> None:
        key_server.asked.wait(PATIENCE)
        _thread.interrupt_main()

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            verifier.authenticate_many([PUBLIC_TOKEN] * 20)
    finally:
        key_server.released.set()
        thread.join()


def test_a_signal_that_arrives_before_the_decisions_is_noticed() -> None:
    """No Python code runs between the signal and the decisions, so the call itself must run the handler."""
    asked: list[FetchRequest] = []

    def fetch(request: FetchRequest) -> FetchResponse:
        asked.append(request)
        return FetchResponse(200, json.dumps(PUBLIC_KEYS).encode())

    verifier = Verifier(remote(URL), fetch=fetch)
    tokens = map(itemgetter(1), zip(map(_thread.interrupt_main, [signal.SIGINT]), [PUBLIC_TOKEN]))
    with pytest.raises(KeyboardInterrupt):
        verifier.authenticate_many(tokens)
    assert asked == []


def test_other_threads_run_during_a_batch(key_server: KeyServer) -> None:
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
    verifier.authenticate_many([PUBLIC_TOKEN] * 20)
    returned.set()
    thread.join()
    assert seen == [False]
