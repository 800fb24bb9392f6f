"""An ASGI application without a framework."""

from __future__ import annotations

import json
from typing import Any

from common import MAIN, OPTIONS, OTHERS, REQUIREMENTS, answer, framework_modules, options, reached
from jwtauth.integrations.asgi import App, JWTAuthMiddleware, Receive, Scope, Send, grant_of, requires


async def handler(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        # The middleware passes it on.
        assert (await receive())["type"] == "lifespan.startup"
        await send({"type": "lifespan.startup.complete"})
        assert (await receive())["type"] == "lifespan.shutdown"
        return await send({"type": "lifespan.shutdown.complete"})
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": json.dumps(answer(scope["path"], grant_of(scope)))})
        return await send({"type": "websocket.close"})
    await respond(send, answer(scope["path"], grant_of(scope)))


async def count(scope: Scope, receive: Receive, send: Send) -> None:
    await respond(send, {"reached": len(reached), "modules": framework_modules()})


async def respond(send: Send, content: dict[str, Any]) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(content).encode()})


# Installed twice, which changes nothing.
guarded = JWTAuthMiddleware(JWTAuthMiddleware(handler, MAIN, **OPTIONS), MAIN, **OPTIONS)
ROUTES: dict[str, App] = {
    "/reached": count,
    "/public": handler,
    "/optional": JWTAuthMiddleware(handler, MAIN, optional=True, **OPTIONS),
    # The grant of an outer middleware must not remain where the inner one found no token.
    "/nested": JWTAuthMiddleware(JWTAuthMiddleware(handler, OTHERS["own"], optional=True), MAIN, **OPTIONS),
    **{f"/{name}": JWTAuthMiddleware(handler, verifier, **options(name)) for name, verifier in OTHERS.items()},
    **{
        path: JWTAuthMiddleware(handler, MAIN, requires=requires(**names), **OPTIONS)
        for path, names in REQUIREMENTS.items()
    },
}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    await ROUTES.get(scope.get("path", ""), guarded)(scope, receive, send)
