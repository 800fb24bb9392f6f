"""Keys that the application's `fetch` function fetches: its requests, its responses, and its failures."""

from __future__ import annotations

import asyncio
import functools
import gc
import json
import pickle
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest.mock import AsyncMock

import pytest
from conftest import ACCEPT, PATIENCE, PUBLIC_KEYS, PUBLIC_TOKEN, remote, run

from jwtauth import (
    Denied,
    Error,
    FetchError,
    FetchPhase,
    FetchRequest,
    FetchResponse,
    Grant,
    SourceStatus,
    Unavailable,
    Verifier,
)

BODY = json.dumps(PUBLIC_KEYS).encode()
URL = "https://issuer.example/keys"


class Host:
    """A client that responds from memory and records its requests."""

    def __init__(self, *answers: Any) -> None:
        self.answers = answers or (FetchResponse(200, BODY),)
        self.requests: list[FetchRequest] = []
        self.threads: list[int] = []

    def __call__(self, request: FetchRequest) -> FetchResponse:
        answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
        self.requests.append(request)
        self.threads.append(threading.get_ident())
        if isinstance(answer, BaseException):
            raise answer
        return answer(request) if callable(answer) else answer  # type: ignore[no-any-return]


def refused(host: Host, /, **settings: Any) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        Verifier(remote(URL, **settings), fetch=host).authenticate(PUBLIC_TOKEN)
    return caught.value


# Requests


def test_keys_come_from_the_function() -> None:
    host = Host()
    verifier = Verifier(remote(URL + "?secret=x", timeout="1500ms", max_bytes=4096), fetch=host)
    assert host.requests == []
    assert verifier.authenticate(PUBLIC_TOKEN).identity.name == "alice"
    assert verifier.authenticate(PUBLIC_TOKEN).identity.name == "alice"
    (request,) = host.requests
    assert isinstance(request, FetchRequest)
    assert request.url == URL + "?secret=x"
    assert request.headers == {"Accept": ACCEPT}
    assert 1.0 < request.timeout <= 1.5
    assert request.max_bytes == 4096
    assert "secret" not in repr(request)
    assert host.threads == [threading.get_ident()]


def test_a_server_may_respond_with_304() -> None:
    first = FetchResponse(200, BODY, {"etag": '"1"', "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"})
    host = Host(first, FetchResponse(304))
    verifier = Verifier(remote(URL), fetch=host)
    verifier.refresh_keys()
    (source,) = verifier.refresh_keys()
    assert host.requests[1].headers == {
        "Accept": ACCEPT,
        "If-None-Match": '"1"',
        "If-Modified-Since": "Wed, 21 Oct 2015 07:28:00 GMT",
    }
    assert (source["keys"], source["fetches"], source["failing"]) == (1, 2, False)
    assert verifier.authenticate(PUBLIC_TOKEN).identity.name == "alice"


def test_both_documents_of_an_issuer_are_fetched() -> None:
    def answer(request: FetchRequest) -> FetchResponse:
        if request.url == "https://issuer.example/.well-known/openid-configuration":
            body = {"issuer": "https://issuer.example", "jwks_uri": "https://keys.example/set?secret=x"}
            return FetchResponse(200, json.dumps(body).encode())
        return FetchResponse(200, BODY)

    host = Host(answer)
    config = remote(URL)
    config["config"]["keys"] = [{"oidc_discovery_url": "https://issuer.example"}]
    verifier = Verifier(config, fetch=host)
    assert verifier.authenticate(PUBLIC_TOKEN).identity.name == "alice"
    assert [request.url for request in host.requests][1:] == ["https://keys.example/set?secret=x"]
    (source,) = verifier.policy()["key_status"]
    assert source["jwks_uri"] == "https://keys.example/set"


# Responses


@pytest.mark.parametrize(
    "headers",
    [
        {"Cache-Control": "max-age=600"},
        {"cache-control": "max-age=600", "X-Other": "1"},
        [("Cache-Control", "public"), ("Cache-Control", "max-age=600")],
        iter([("CACHE-CONTROL", "max-age=600")]),
    ],
)
def test_headers_are_a_mapping_or_pairs(headers: Any) -> None:
    verifier = Verifier(remote(URL, cache_ttl="1h"), fetch=Host(FetchResponse(200, BODY, headers)))
    (source,) = verifier.refresh_keys()
    assert 400 < source["next_refresh"] <= 600


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "fetch must return a FetchResponse, not NoneType"),
        ((200, {}, BODY), "fetch must return a FetchResponse, not tuple"),
        (FetchResponse("200", BODY), "the status must be an int between 100 and 599, not str"),  # type: ignore[arg-type]
        (FetchResponse(99, BODY), "the status must be between 100 and 599"),
        (FetchResponse(2**40, BODY), "the status must be an int between 100 and 599, not int"),
        (FetchResponse(200, "{}"), "the body must be bytes, not str"),  # type: ignore[arg-type]
        (FetchResponse(200, BODY, 7), "the headers must be a mapping or pairs of str, not int"),  # type: ignore[arg-type]
        (FetchResponse(200, BODY, ["ab"]), "the headers must be a mapping or pairs of str, not list"),  # type: ignore[list-item]
        (FetchResponse(200, BODY, {"a": 1}), "the headers must be a mapping or pairs of str, not dict"),  # type: ignore[arg-type]
        (FetchResponse(200, BODY, {"ETag": "a\r\nb"}), "without line breaks"),
        (FetchResponse(500, BODY), "http: status 500"),
        (FetchResponse(304), "http: status 304"),
        (FetchResponse(301, b"", {"Location": "/other"}), "http: status 301"),
        (FetchResponse(200, b"x" * 5000), "4096"),
    ],
)
def test_an_invalid_response_is_a_failure(answer: Any, reason: str) -> None:
    failure = refused(Host(lambda _: answer), max_bytes=4096)
    assert failure.code == "key_source_unavailable"
    assert failure.detail is not None
    assert reason in failure.detail
    assert ": http: " in failure.detail
    assert failure.__cause__ is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"keys":[]}', b"\xff", BODY[:-1]])
def test_a_body_without_keys_is_a_failure(body: bytes) -> None:
    failure = refused(Host(FetchResponse(200, body)))
    assert failure.code == "key_set_invalid"
    assert failure.detail is not None
    assert f"{URL}: parse: " in failure.detail


# Failures


@pytest.mark.parametrize("phase", ["dns", "connect", "tls", "http", "parse"])
def test_phase_and_reason_of_a_fetch_error_appear_in_the_detail(phase: FetchPhase) -> None:
    raised = FetchError(phase, "the proxy is down\nfor good")
    failure = refused(Host(raised))
    assert failure.code == "key_source_unavailable"
    assert failure.detail == f"`keys[0].jwks_url`: {URL}: {phase}: the proxy is down for good"
    assert failure.__cause__ is raised


def test_a_fetch_error_is_a_normal_exception() -> None:
    error = FetchError("dns", "no such host")
    assert str(error) == "dns: no such host"
    copied = pickle.loads(pickle.dumps(error))
    assert (type(copied), copied.phase, copied.reason) == (FetchError, "dns", "no such host")
    assert not isinstance(error, Error)
    with pytest.raises(ValueError, match="phase must be one of dns, connect, tls, http, parse"):
        FetchError("htp", "misspelt")  # type: ignore[arg-type]


def test_only_the_class_name_of_any_other_exception_appears() -> None:
    raised = ConnectionResetError("https://user:password@proxy.example")
    failure = refused(Host(raised))
    assert failure.detail == f"`keys[0].jwks_url`: {URL}: http: ConnectionResetError"
    assert failure.__cause__ is raised


def test_a_failure_without_a_valid_phase_counts_as_http() -> None:
    raised = FetchError("tls", "no")
    raised.phase = 7  # type: ignore[assignment]
    assert refused(Host(raised)).detail == f"`keys[0].jwks_url`: {URL}: http: an exception"


def test_only_the_call_that_fetched_has_a_cause() -> None:
    """A call that fails because of an earlier failure has no cause."""
    raised = OSError()
    verifier = Verifier(remote(URL), fetch=Host(raised))
    for cause in (raised, None):
        with pytest.raises(Unavailable) as caught:
            verifier.authenticate(PUBLIC_TOKEN)
        assert caught.value.detail == f"`keys[0].jwks_url`: {URL}: http: OSError"
        assert caught.value.__cause__ is cause


def test_a_failed_refresh_keeps_the_cached_keys() -> None:
    host = Host(FetchResponse(200, BODY), OSError())
    verifier = Verifier(remote(URL, cache_ttl="0s"), fetch=host)
    for _ in range(2):
        assert verifier.authenticate(PUBLIC_TOKEN).identity.name == "alice"
    assert len(host.requests) == 2


def test_a_forged_token_stays_denied_with_the_failure_in_its_detail() -> None:
    raised = OSError("secret")
    verifier = Verifier(remote(URL, cool_down="0s"), fetch=Host(FetchResponse(200, BODY), raised))
    verifier.refresh_keys()
    with pytest.raises(Denied) as caught:
        verifier.authenticate(PUBLIC_TOKEN[:-4] + "AAAA")
    assert caught.value.code == "signature_invalid"
    assert caught.value.detail is not None
    assert caught.value.detail.endswith(f"`keys[0].jwks_url`: {URL}: http: OSError")
    assert caught.value.__cause__ is raised


@pytest.mark.parametrize("final", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()], ids=repr)
@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_an_exception_that_ends_the_program_propagates(final: BaseException, warm: bool) -> None:
    """It propagates for every decision and from every thread: two sources are fetched concurrently."""
    config = remote(URL, cache_ttl="0s")
    config["config"]["keys"] *= 2
    good = [FetchResponse(200, BODY)] * 2 if warm else []
    host = Host(*good, final)
    verifier = Verifier(config, fetch=host)
    if warm:
        verifier.authenticate(PUBLIC_TOKEN)
    with pytest.raises(type(final)) as caught:
        verifier.authenticate(PUBLIC_TOKEN)
    assert caught.value is final
    assert len(host.requests) == len(good) + 2


def test_an_exception_that_ends_the_program_propagates_from_every_call() -> None:
    text = json.dumps({"token": PUBLIC_TOKEN})
    calls: list[Callable[[Verifier], object]] = [
        lambda verifier: verifier.authenticate(PUBLIC_TOKEN),
        lambda verifier: verifier.authenticate_json(text),
        lambda verifier: verifier.refresh_keys(),
    ]
    for call in calls:
        verifier = Verifier(remote(URL), fetch=Host(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            call(verifier)


def test_every_call_that_awaits_a_fetch_gets_what_the_function_raised() -> None:
    raised = OSError("secret")
    awaited = threading.Event()

    def fail(_: FetchRequest) -> FetchResponse:
        assert awaited.wait(PATIENCE)
        raise raised

    verifier = Verifier(remote(URL), fetch=Host(fail))

    async def main() -> list[Any]:
        calls = [asyncio.ensure_future(verifier.authenticate_async(PUBLIC_TOKEN)) for _ in range(10)]
        # One turn of the loop: every call has taken its first step.
        await asyncio.sleep(0)
        awaited.set()
        return list(await asyncio.gather(*calls, return_exceptions=True))

    replies = asyncio.run(main())
    assert [type(reply) for reply in replies] == [Unavailable] * 10
    assert [reply.__cause__ for reply in replies] == [raised] * 10


def test_what_ends_the_program_goes_on_from_a_fetch_that_is_awaited() -> None:
    verifier = Verifier(remote(URL), fetch=Host(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(verifier.authenticate_async(PUBLIC_TOKEN))


# Refreshing and status


def without_times(sources: Sequence[SourceStatus]) -> list[dict[str, Any]]:
    """The status without its readings of the clock: two of them may be taken in different seconds."""
    kept: list[dict[str, Any]] = json.loads(json.dumps(sources))
    for source in kept:
        for reading in (source, source.get("last_failure", {})):
            for name in ("age", "next_refresh"):
                reading.pop(name, None)
    return kept


def test_a_refresh_reports_every_source() -> None:
    config = remote(URL + "?secret=x")
    config["config"]["keys"] += [{"jwks": PUBLIC_KEYS}, {"jwks_url": "https://other.example/keys"}]

    def answer(request: FetchRequest) -> FetchResponse:
        return FetchResponse(200, BODY) if request.url.startswith(URL) else FetchResponse(503, b"secret")

    verifier = Verifier(config, fetch=Host(answer))
    assert [source["state"] for source in verifier.policy()["key_status"]] == ["unfetched", "fixed", "unfetched"]
    with pytest.raises(Unavailable) as caught:
        verifier.refresh_keys()
    assert caught.value.code == "key_source_unavailable"
    good, fixed, bad = caught.value.sources
    assert (good["source"], good["url"], good["state"], good["keys"]) == ("keys[0].jwks_url", URL, "fresh", 1)
    assert (good["fetches"], good["failures"], good["failing"]) == (1, 0, False)
    assert fixed == {"source": "keys[1].jwks", "state": "fixed", "keys": 1, "kids": []}
    assert (bad["url"], bad["state"], bad["failing"], bad["failures"]) == (
        "https://other.example/keys",
        "unfetched",
        True,
        1,
    )
    assert bad["last_failure"]["phase"] == "http"
    assert bad["last_failure"]["status"] == 503
    assert "secret" not in str(caught.value.sources)
    assert pickle.loads(pickle.dumps(caught.value)).sources == caught.value.sources
    assert without_times(verifier.policy()["key_status"]) == without_times(caught.value.sources)
    assert Unavailable("key_source_unavailable", "").sources == ()


def test_a_refresh_without_failures_returns_the_sources() -> None:
    verifier = Verifier(remote(URL), fetch=Host())
    (source,) = verifier.refresh_keys()
    assert source["state"] == "fresh"
    assert without_times(verifier.policy()["key_status"]) == without_times([source])
    # A verifier can be built from the policy.
    assert Verifier(verifier.policy(), fetch=Host()).policy()["key_status"][0]["state"] == "unfetched"


# Only with cached keys


def test_cached_only_fetches_nothing() -> None:
    host = Host()
    verifier = Verifier(remote(URL), fetch=host)
    calls: list[Callable[[], Grant]] = [
        lambda: verifier.authenticate(PUBLIC_TOKEN, cached_only=True),
        lambda: verifier.authenticate_json(json.dumps({"token": PUBLIC_TOKEN, "cached_only": True})),
        lambda: asyncio.run(verifier.authenticate_async(PUBLIC_TOKEN, cached_only=True)),
    ]
    for call in calls:
        with pytest.raises(Unavailable, match="key_source_unavailable"):
            call()
    assert host.requests == []
    verifier.authenticate(PUBLIC_TOKEN)
    for call in calls:
        assert call().identity.name == "alice"
    with pytest.raises(TypeError):
        verifier.authenticate(PUBLIC_TOKEN, cached_only=1)  # type: ignore[arg-type]
    assert len(host.requests) == 1


# Valid functions


async def coroutine_function(request: FetchRequest) -> FetchResponse:
    return FetchResponse(200, BODY)


class AsyncCall:
    async def __call__(self, request: FetchRequest) -> FetchResponse:
        return FetchResponse(200, BODY)


@pytest.mark.parametrize(
    "function",
    [coroutine_function, AsyncCall(), functools.partial(coroutine_function), AsyncMock(), AsyncCall().__call__],
)
def test_an_async_function_is_a_type_error(function: Any) -> None:
    with pytest.raises(TypeError, match="fetch must not be async"):
        Verifier(remote(URL), fetch=function)


@pytest.mark.parametrize("function", [7, "x", (), object()])
def test_a_value_that_is_not_callable_is_a_type_error(function: Any) -> None:
    with pytest.raises(TypeError, match="fetch must be callable, not "):
        Verifier(remote(URL), fetch=function)
    with pytest.raises(TypeError):
        Verifier(remote(URL), function)  # type: ignore[call-arg]


def test_a_function_may_use_another_verifier() -> None:
    """A function may do so to get a token for the key server. Each failure has the cause of its own call."""
    inner_raised, outer_raised = OSError(), RuntimeError()
    inner = Verifier(remote("https://inner.example/keys"), fetch=Host(inner_raised))
    causes = []

    def answer(_: FetchRequest) -> FetchResponse:
        with pytest.raises(Unavailable) as caught:
            inner.authenticate(PUBLIC_TOKEN)
        causes.append(caught.value.__cause__)
        raise outer_raised

    assert refused(Host(answer)).__cause__ is outer_raised
    assert causes == [inner_raised]


def test_a_function_that_uses_its_own_verifier_fails_after_the_timeout() -> None:
    verifiers: list[Verifier] = []
    host = Host(lambda _: verifiers[0].authenticate(PUBLIC_TOKEN))
    verifiers.append(Verifier(remote(URL, timeout="200ms"), fetch=host))
    with pytest.raises(Unavailable) as caught:
        verifiers[0].authenticate(PUBLIC_TOKEN)
    assert isinstance(caught.value.__cause__, Unavailable)
    assert len(host.requests) == 1


# Threads


@pytest.fixture
def slow() -> Iterator[tuple[Host, threading.Event]]:
    """A client that responds only after the event is set."""
    go = threading.Event()

    def answer(_: FetchRequest) -> FetchResponse:
        assert go.wait(PATIENCE)
        return FetchResponse(200, BODY)

    yield Host(answer), go
    go.set()


def test_calls_that_wait_for_a_fetch_release_the_gil(slow: tuple[Host, threading.Event]) -> None:
    """Every call waits without the GIL. Otherwise the fetching thread could never continue."""
    host, go = slow
    verifier = Verifier(remote(URL, timeout="60s"), fetch=host)
    text = json.dumps({"token": PUBLIC_TOKEN})
    calls: list[Callable[[], object]] = [
        lambda: verifier.authenticate(PUBLIC_TOKEN),
        lambda: verifier.authenticate_json(text),
        lambda: asyncio.run(verifier.authenticate_async(PUBLIC_TOKEN)),
        lambda: verifier.refresh_keys(),
    ]
    done: list[object] = []
    threads = [threading.Thread(target=lambda call=call: done.append(call())) for call in calls * 8]
    for thread in threads:
        thread.start()
    # All of them wait, and this thread continues.
    assert not done
    assert verifier.policy()["key_status"][0]["state"] == "unfetched"
    with pytest.raises(Unavailable):
        verifier.authenticate(PUBLIC_TOKEN, cached_only=True)
    go.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(done) == len(threads)
    # One fetch that calls shared; each later refresh fetches again.
    assert 1 <= len(host.requests) <= 1 + 8


# Memory


def test_a_reference_cycle_of_verifier_and_function_is_collected() -> None:
    printed = run(
        sys.executable,
        """
        import gc, resource, tracemalloc
        from conftest import ACCEPT, PUBLIC_TOKEN, Verifier, remote
        from jwtauth import Unavailable

        class Owner:
            def __init__(self):
                self.verifier = Verifier(remote("https://issuer.example/keys"), fetch=self.fetch)
            def fetch(self, request):
                raise OSError(request)

        def many(number):
            for _ in range(number):
                owner = Owner()
                for work in (lambda: owner.verifier.authenticate(PUBLIC_TOKEN), owner.verifier.refresh_keys):
                    try:
                        work()
                    except Unavailable as failure:
                        assert type(failure.__cause__) is OSError

        def left():
            gc.collect()
            return len(gc.get_objects()), tracemalloc.get_traced_memory()[0]

        peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        many(500)
        resident = peak()
        many(3000)
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
    # One leaked object for each of the last 500 would appear as 500 objects and 25 kB; one leaked kilobyte for each of
    # the 3,000 before them as 3 MB. A verifier is larger than that.
    assert objects < 50
    assert traced < 10_000
    assert resident < (2_000 if sys.platform == "linux" else 2_000 * 1024)


def test_a_function_is_released_with_its_verifier() -> None:
    host = Host()
    reference = weakref.ref(host)
    verifier = Verifier(remote(URL), fetch=host)
    del host
    gc.collect()
    assert reference() is not None
    assert verifier.authenticate(PUBLIC_TOKEN).identity.name == "alice"
    del verifier
    assert reference() is None
