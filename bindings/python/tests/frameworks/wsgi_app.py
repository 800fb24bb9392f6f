"""A WSGI application without a framework."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from common import MAIN, OPTIONS, OTHERS, REQUIREMENTS, answer, framework_modules, options, reached
from jwtauth.integrations.wsgi import JWTAuthMiddleware, grant_of, requires

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def handler(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return respond(start_response, answer(environ["PATH_INFO"], grant_of(environ)))


def count(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return respond(start_response, {"reached": len(reached), "modules": framework_modules()})


def respond(start_response: StartResponse, content: dict[str, Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(content).encode()]


# Installed twice, which changes nothing.
guarded = JWTAuthMiddleware(JWTAuthMiddleware(handler, MAIN, **OPTIONS), MAIN, **OPTIONS)
ROUTES: dict[str, WSGIApplication] = {
    "/reached": count,
    "/public": handler,
    "/optional": JWTAuthMiddleware(handler, MAIN, optional=True, **OPTIONS),
    **{f"/{name}": JWTAuthMiddleware(handler, verifier, **options(name)) for name, verifier in OTHERS.items()},
    **{
        path: JWTAuthMiddleware(handler, MAIN, requires=requires(**names), **OPTIONS)
        for path, names in REQUIREMENTS.items()
    },
}


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return ROUTES.get(environ["PATH_INFO"], guarded)(environ, start_response)
