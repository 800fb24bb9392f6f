"""How a decision waits for keys without holding up the event loop, or the executor that it shares with others."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jwtauth._jwtauth import Grant, Verifier

_fetching: dict[tuple[asyncio.AbstractEventLoop, Verifier], asyncio.Task[Grant]] = {}
"""The request of each loop that went to a thread because keys were to be fetched."""

_PATIENCE = (0.005, 10.0)
"""How long others wait for it, in seconds: until it is fetching, which lets them go on with the keys that there are,
and twice as long as a fetch may take by default. Whoever still cannot decide goes to a thread as well."""


async def authenticate(verifier: Verifier, token: str | None, options: dict[str, Any]) -> Grant:
    """Decides on the loop's own thread if the keys are at hand, and else where waiting harms nobody."""
    now = partial(verifier._authenticate_now, token, **options)
    if (grant := now()) is not None:
        return grant
    key = asyncio.get_running_loop(), verifier
    for patience in _PATIENCE:
        if (other := _fetching.get(key)) is None:
            break
        await asyncio.wait([other], timeout=patience)
        if (grant := now()) is not None:
            return grant
    task = asyncio.ensure_future(asyncio.to_thread(verifier.authenticate, token, **options))
    if key not in _fetching:
        _fetching[key] = task
        task.add_done_callback(lambda _: _fetching.pop(key, None))
    # Who stops waiting does not stop the fetch, and what becomes of it is then for nobody to hear.
    task.add_done_callback(lambda task: task.cancelled() or task.exception())
    return await asyncio.shield(task)
