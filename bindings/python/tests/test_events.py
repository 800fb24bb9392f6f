"""Events and counters: each decision and each fetch is reported once; what the function raises changes nothing."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import signal
import sys
import threading
import weakref
from typing import Any

import pytest
from conftest import CONFIG, PUBLIC_KEYS, PUBLIC_TOKEN, remote, token

from jwtauth import (
    Denied,
    Event,
    FetchError,
    FetchRequest,
    FetchResponse,
    Unavailable,
    Verifier,
    log_events,
)

URL = "https://issuer.example/keys"


def fetch(request: FetchRequest) -> FetchResponse:
    return FetchResponse(200, json.dumps(PUBLIC_KEYS).encode())


def down(request: FetchRequest) -> FetchResponse:
    raise FetchError("connect", "the proxy is down")


def test_each_call_reports_its_decision() -> None:
    events: list[Event] = []
    verifier = Verifier(CONFIG, on_event=events.append)
    secret = token(sub="a very private name")
    verifier.authenticate(secret)
    with pytest.raises(Denied):
        verifier.authenticate("a.b.c")
    assert verifier.explain(secret)
    verifier.authenticate_json(json.dumps({"token": secret}))
    asyncio.run(verifier.authenticate_async(secret))
    asyncio.run(verifier.explain_async("a.b.c"))
    assert [(event["event"], event["outcome"]) for event in events] == [
        ("decision", "granted"),
        ("decision", "denied"),
        ("decision", "granted"),
        ("decision", "granted"),
        ("decision", "granted"),
        ("decision", "denied"),
    ]
    assert [event["event"] == "decision" and event["explained"] for event in events] == [False, False, True, False, False, True]
    assert events[1].get("code") == "token_malformed"
    assert "private" not in str(events)
    with pytest.raises(TypeError):
        verifier.authenticate(7)  # type: ignore[arg-type]
    assert len(events) == 6


def test_a_batch_reports_every_token() -> None:
    events: list[Event] = []
    threads = set()

    def observe(event: Event) -> None:
        events.append(event)
        threads.add(threading.get_ident())

    verifier = Verifier(CONFIG, on_event=observe)
    verifier.authenticate_many([token(), "a.b.c"] * 100, threads=3)
    assert sorted(event["outcome"] for event in events) == ["denied"] * 100 + ["granted"] * 100
    assert threads


def test_fetches_are_reported() -> None:
    for decide in (Verifier.authenticate, lambda *given: asyncio.run(Verifier.authenticate_async(*given))):
        events: list[Event] = []
        verifier = Verifier(remote(URL), fetch=fetch, on_event=events.append)
        decide(verifier, PUBLIC_TOKEN)
        assert [(event["event"], event["outcome"]) for event in events] == [("fetch", "fetched"), ("decision", "granted")]
        assert events[0].get("keys") == len(PUBLIC_KEYS["keys"])
        events.clear()
        verifier = Verifier(remote(URL), fetch=down, on_event=events.append)
        with pytest.raises(Unavailable):
            decide(verifier, PUBLIC_TOKEN)
        failed, undecided = events
        assert (failed["outcome"], failed.get("phase")) == ("failed", "connect")
        assert (undecided["outcome"], undecided["level"]) == ("unavailable", "error")


def test_decisions_are_counted() -> None:
    verifier = Verifier(remote(URL), fetch=fetch)
    verifier.authenticate(PUBLIC_TOKEN)
    verifier.authenticate_many([PUBLIC_TOKEN, "a.b.c", "a.b.c"])
    assert verifier.counters() == {
        "granted": 2,
        "denied": {"token_malformed": 2},
        "unavailable": {},
        "token_cache_hits": 0,
        "sources": [{"source": "keys[0].jwks_url", "fetches": 1, "failures": 0}],
    }


@pytest.mark.parametrize("raised", [ValueError("oops"), SystemExit(3), GeneratorExit()])
def test_what_the_function_raises_changes_no_decision(raised: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", reported.append)

    def observe(event: Event) -> None:
        raise raised

    verifier = Verifier(CONFIG, on_event=observe)
    assert verifier.authenticate(token()).identity.name
    with pytest.raises(Denied):
        verifier.authenticate("a.b.c")
    assert [(entry.exc_value, entry.object) for entry in reported] == [(raised, observe)] * 2


def test_ctrl_c_during_the_function_is_raised_after_the_decision() -> None:
    def observe(event: Event) -> None:
        signal.raise_signal(signal.SIGINT)

    verifier = Verifier(CONFIG, on_event=observe)
    with pytest.raises(KeyboardInterrupt):
        verifier.authenticate(token())
        for _ in range(1000):
            pass
    assert verifier.counters()["granted"] == 1


def test_the_function_may_use_its_verifier() -> None:
    events: list[Event] = []

    def observe(event: Event) -> None:
        events.append(event)
        if len(events) == 1:
            assert verifier.explain(token())

    verifier = Verifier(CONFIG, on_event=observe)
    verifier.authenticate(token())
    assert len(events) == 2


def test_only_a_function_is_accepted() -> None:
    async def observe(event: Event) -> None:
        pass

    for wrong in (7, "print", observe):
        with pytest.raises(TypeError, match="on_event must"):
            Verifier(CONFIG, on_event=wrong)  # type: ignore[arg-type]


def test_a_reference_cycle_of_verifier_and_function_is_collected() -> None:
    class Observer:
        verifier: Verifier

        def __call__(self, event: Event) -> None:
            pass

    observer = Observer()
    observer.verifier = Verifier(CONFIG, on_event=observer)
    gone = weakref.ref(observer)
    del observer
    gc.collect()
    assert gone() is None


def test_events_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "jwtauth")
    verifier = Verifier(remote(URL), fetch=fetch, on_event=log_events())
    verifier.authenticate(PUBLIC_TOKEN)
    with pytest.raises(Denied):
        verifier.authenticate("a.b.c")
    shown = [(record.levelname, record.getMessage().partition(" duration=")[0]) for record in caplog.records]
    assert shown[0] == ("INFO", f"fetch fetched keys={len(PUBLIC_KEYS['keys'])} source=keys[0].jwks_url")
    assert shown[1][0] == "DEBUG"
    assert shown[1][1].startswith("decision granted")
    assert shown[2] == ("WARNING", "decision denied token_malformed")
    assert caplog.records[2].jwtauth["code"] == "token_malformed"  # type: ignore[attr-defined]
    caplog.clear()
    quiet = logging.getLogger("quiet")
    quiet.setLevel(logging.ERROR)
    verifier = Verifier(remote(URL), fetch=down, on_event=log_events(quiet))
    with pytest.raises(Unavailable):
        verifier.authenticate(PUBLIC_TOKEN)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("quiet", "ERROR")
