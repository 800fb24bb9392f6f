"""Runs an ASGI application with uvicorn on a socket that listens already: ``serve.py MODULE:NAME FD``."""

from __future__ import annotations

import importlib
import socket
import sys

import uvicorn

place, descriptor = sys.argv[1:]
listener = socket.socket(fileno=int(descriptor))
module, name = place.split(":")
application = getattr(importlib.import_module(module), name)
# By default, uvicorn trusts the header X-Forwarded-For of a client on the same machine.
config = uvicorn.Config(application, log_level="warning", proxy_headers=False)
uvicorn.Server(config).run(sockets=[listener])
