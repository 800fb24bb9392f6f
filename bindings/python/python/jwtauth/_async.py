"""Decides on the event loop, fetches keys on threads of their own, and does the verbs of sessions on threads."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Semaphore, Thread
from typing import Any, NoReturn, Protocol, TypeVar
from weakref import WeakKeyDictionary

from jwtauth._errors import Error, Unavailable
from jwtauth._jwtauth import Explanation, Grant, Login, Sessions

_T = TypeVar("_T")


class _KeyFetch(Protocol):
    """The fetch of the keys of one source. Equal ones can be shared."""

    @property
    def is_needed(self) -> bool: ...
    def run(self) -> BaseException | None: ...
    def __hash__(self) -> int: ...


class _Errand(Protocol):
    """The fetches that a decision lacks."""

    def fetches(self) -> list[_KeyFetch]: ...


class _Call(Protocol):
    """A call of ``authenticate_async`` or ``explain_async``: gives the outcome, or what the next step lacks."""

    def step(self, after: _Errand | None, /) -> Grant | _Errand: ...
    def explain_step(
        self, show_values: bool, after: _Errand | None, cause: BaseException | None, /
    ) -> Explanation | _Errand: ...


class _Issue(Protocol):
    """The end of a ``login_async``: makes the session for a grant."""

    def run(self, grant: Grant) -> Login: ...


_in_flight: dict[tuple[int, _KeyFetch], Future[BaseException | None]] = {}
"""The fetches of this process that are in flight, for the calls of all event loops. Each ends with what the application's
function raised. A forked child has none of its parent's threads, so the process is part of the key."""


async def authenticate(call: _Call) -> Grant:
    """Takes steps on the event loop's thread, and waits for the fetches that they lack."""
    after: _Errand | None = None
    cause: BaseException | None = None
    while True:
        try:
            step = call.step(after)
        except Error as why:
            why.__cause__ = cause
            raise
        if isinstance(step, Grant):
            return step
        cause = await _fetched(step, cause)
        after = step


async def explain(call: _Call, show_values: bool) -> Explanation:
    """Takes steps of an explanation, and waits for the fetches that they lack."""
    after: _Errand | None = None
    cause: BaseException | None = None
    while True:
        step = call.explain_step(show_values, after, cause)
        if isinstance(step, Explanation):
            return step
        cause = await _fetched(step, cause)
        after = step


async def login(sessions: Sessions, at_once: bool, call: _Call, issue: _Issue) -> Login:
    """Decides, and makes the session where it does not block the event loop."""
    grant = await authenticate(call)
    return await _done(sessions, at_once, partial(issue.run, grant))


async def refuse(wrong: Exception) -> NoReturn:
    """Raises a mistake in the arguments of a call when the call is awaited, as every other failure."""
    raise wrong


async def verb(
    sessions: Sessions, at_once: bool, name: str, arguments: tuple[object, ...], named: Mapping[str, object] | None
) -> Any:
    """Does a verb where it does not block the event loop."""
    return await _done(sessions, at_once, partial(getattr(sessions, name), *arguments, **(named or {})))


async def _done(sessions: Sessions, at_once: bool, work: Callable[[], _T]) -> _T:
    """Does some work, immediately if it takes microseconds, or else on a thread of the sessions."""
    if at_once:
        return work()
    return await asyncio.wrap_future(_begun(_threads_of(sessions), work))


def _begun(threads: _Threads, work: Callable[[], _T]) -> Future[_T]:
    """Some work on a thread. Who waits for it can stop waiting, and cannot cancel it."""
    if not threads.free.acquire(blocking=False):
        detail = f"{_MOST_CALLS} calls wait for the store already"
        raise Unavailable("store_unavailable", "the session store is unavailable", stage="session", detail=detail)
    future: Future[_T] = Future()
    # The work is done for a call that was cancelled before a thread was free, too. Otherwise a logout could be lost.
    future.set_running_or_notify_cancel()
    future.add_done_callback(lambda _: threads.free.release())
    try:
        threads.executor.submit(_do, work, future)
    except RuntimeError as why:
        # No thread could be started for it. Another one may have done it already.
        with suppress(InvalidStateError):
            future.set_exception(why)
    return future


def _do(work: Callable[[], _T], future: Future[_T]) -> None:
    try:
        # The executor keeps the work for which it could not start a thread.
        if not future.done():
            future.set_result(work())
    except BaseException as why:
        future.set_exception(why)
    finally:
        # The exception refers to this call, which must not refer to the exception.
        del future


class _Threads:
    """The threads that wait for the store of some sessions. Those of other stores, and the default executor, do not wait."""

    __slots__ = ("executor", "free", "process")

    def __init__(self, process: int) -> None:
        self.process = process
        self.executor = ThreadPoolExecutor(_MOST_THREADS, "jwtauth-sessions")
        # How many further calls may wait.
        self.free = Semaphore(_MOST_CALLS)


def _threads_of(sessions: Sessions) -> _Threads:
    process = os.getpid()
    known = _threads.get(sessions)
    # A forked child has none of its parent's threads.
    if known is None or known.process != process:
        known = _threads[sessions] = _Threads(process)
    return known


_threads: WeakKeyDictionary[Sessions, _Threads] = WeakKeyDictionary()
"""The threads of sessions that were used on an event loop."""

_MOST_THREADS = 32
"""How many verbs wait for one store at the same time. It is the number of threads of asyncio's default executor at most."""
_MOST_CALLS = 10_000
"""How many calls wait for one store and its threads. A store that does not respond would otherwise let them fill the memory."""


async def _fetched(errand: _Errand, cause: BaseException | None) -> BaseException | None:
    """Waits for the fetches of an errand. Returns the first exception that the application's function raised."""
    fetches = (_share(fetch) for fetch in errand.fetches())
    waits = [asyncio.wrap_future(future) for future in fetches if future is not None]
    for raised in await asyncio.gather(*waits):
        if raised is not None and not isinstance(raised, Exception):
            raise raised
        cause = cause or raised
    return cause


def _share(fetch: _KeyFetch) -> Future[BaseException | None] | None:
    """Makes a fetch, or finds the one in flight. ``None``: another call makes it, and this one need not wait."""
    key = os.getpid(), fetch
    future: Future[BaseException | None] = Future()
    # A call that is cancelled must not cancel what other calls wait for.
    future.set_running_or_notify_cancel()
    # One operation, instead of a lock that a forked child could find locked.
    other = _in_flight.setdefault(key, future)
    if other is not future:
        return other if fetch.is_needed else None

    def run() -> None:
        raised: BaseException | None = None
        try:
            raised = fetch.run()
        except BaseException as why:
            raised = why
        finally:
            _in_flight.pop(key, None)
            future.set_result(raised)

    try:
        Thread(target=run, name="jwtauth-fetch").start()
    except RuntimeError as why:
        _in_flight.pop(key, None)
        future.set_result(why)
    return future
