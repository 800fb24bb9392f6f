"""A program for `gunicorn --preload`: it builds its verifiers before the workers are forked, and decides in the workers.

The path of a request names a verifier, and its body is a token. The response has the outcome and the worker. With
`REFRESH` in the environment, keys are also fetched before the fork.
"""

from __future__ import annotations

import json
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jwtauth import Error, FetchError, FetchRequest, FetchResponse, Verifier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def fetch_with(authorities: str) -> Callable[[FetchRequest], FetchResponse]:
    """An application's HTTP client, with separate trust settings and separate error texts."""
    https = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=authorities))
    opener = urllib.request.build_opener(https, NoRedirects, urllib.request.ProxyHandler({}))

    def fetch(request: FetchRequest) -> FetchResponse:
        deadline = time.monotonic() + request.timeout
        try:
            asked = urllib.request.Request(request.url, headers=request.headers)
            with opener.open(asked, timeout=request.timeout) as answer:
                body = b""
                while len(body) <= request.max_bytes and (part := answer.read1(64 * 1024)):
                    body += part
                    if time.monotonic() > deadline:
                        raise FetchError("http", "too slow")
                return FetchResponse(answer.status, body, answer.headers.items())
        except urllib.error.HTTPError as answer:
            with answer:
                return FetchResponse(answer.code, headers=answer.headers.items())
        except urllib.error.URLError as failure:
            raise FetchError("tls" if isinstance(failure.reason, ssl.SSLError) else "connect", "unreachable") from failure

    return fetch


def build(play: dict[str, Any]) -> Verifier:
    own = play.get("authorities")
    return Verifier(play["verifier"], fetch=None if own is None else fetch_with(own))


PLAYS = json.loads(Path(os.environ["PLAYS"]).read_text(encoding="utf-8"))
VERIFIERS = {f"/{number}": build(play) for number, play in PLAYS.items()}
if "REFRESH" in os.environ:
    for verifier in VERIFIERS.values():
        verifier.refresh_keys()
BUILT_BY = os.getpid()


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    reply: dict[str, object] = {"worker": os.getpid(), "forked": os.getpid() != BUILT_BY}
    verifier = VERIFIERS.get(environ["PATH_INFO"])
    if verifier is not None:
        body = environ["wsgi.input"].read().decode()
        try:
            grant = verifier.authenticate(body)
        except Error as failure:
            reply.update(outcome=failure.code, detail=failure.detail)
        else:
            reply.update(outcome="granted", name=grant.identity.name)
    text = json.dumps(reply).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
    return [text]
