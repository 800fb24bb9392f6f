"""A program for `gunicorn --preload`: it builds its verifiers before the workers are forked, and decides in them.

Each request names one of the verifiers in its path and brings a token; the answer is the outcome and the worker that
found it. With `REFRESH` in the environment, keys are fetched before the fork as well.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from jwtauth import Error, Verifier

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

CONFIGURATIONS = json.loads(Path(os.environ["CONFIGURATIONS"]).read_text(encoding="utf-8"))
VERIFIERS = {f"/{name}": Verifier(config) for name, config in CONFIGURATIONS.items()}
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
