"""An application with Starlette."""

from __future__ import annotations

from common import MAIN, METHODS, OPTIONS, OTHERS, REQUIREMENTS, answer, framework_modules, options, reached
from jwtauth.integrations.starlette import JWTAuth, grant_of
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket


def handler(request: Request) -> JSONResponse:
    return JSONResponse(answer(request.url.path, grant_of(request)))


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_json(answer(websocket.url.path, grant_of(websocket)))
    await websocket.close()


def count(_: Request) -> JSONResponse:
    return JSONResponse({"reached": len(reached), "modules": framework_modules()})


def swallowed(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"name": "swallowed"})


auth = JWTAuth(MAIN, **OPTIONS)
closed: list[BaseRoute] = [
    Route("/me", handler, methods=METHODS),
    Mount("/mounted", routes=[Route("/me", handler)]),
    WebSocketRoute("/ws", socket),
    *(Route(path, handler, middleware=[auth.requires(**names)]) for path, names in REQUIREMENTS.items()),
]
application = Starlette(
    routes=[
        Route("/reached", count),
        Route("/public", handler),
        Route("/optional", handler, middleware=[auth.optional()]),
        *(
            Route(f"/{name}", handler, middleware=[JWTAuth(verifier, **options(name)).requires()])
            for name, verifier in OTHERS.items()
        ),
        Mount("/", routes=closed, middleware=[auth.requires(), auth.requires()]),
    ],
    exception_handlers={401: swallowed, 403: swallowed, Exception: swallowed},
)
