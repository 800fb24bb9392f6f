"""Decides on the event loop, and fetches keys on threads of their own."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import Future
from threading import Thread
from typing import Protocol

from jwtauth._errors import Error
from jwtauth._jwtauth import Explanation, Grant


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
