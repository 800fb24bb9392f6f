"""A small server with a login, a protected page and a logout: python login_server.py CONFIG [PORT]

CONFIG is a file with the configuration of a verifier, which may have a member `sessions`. The program prints the address
on which it listens.

    curl -X POST -H "Authorization: Bearer $token" http://127.0.0.1:8080/login     the answer has the token of the session
    curl -H "Authorization: Bearer $session" http://127.0.0.1:8080/
    curl -X POST -H "Authorization: Bearer $session" http://127.0.0.1:8080/logout
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from jwtauth import Denied, Error, Sessions, Unavailable


class Server(ThreadingHTTPServer):
    """Each request has a thread; all of them use the same sessions."""

    def __init__(self, port: int, sessions: Sessions) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.sessions = sessions


class Handler(BaseHTTPRequestHandler):
    server: Server

    def login(self) -> object:
        """Decides about the token of the issuer, and answers with a session."""
        login = self.server.sessions.login(headers=self.headers, remote_addr=self.client_address[0])
        return login.response

    def page(self) -> object:
        """The protected page."""
        session = self.server.sessions.authorize(self.held(), self.client_address[0])
        return {"hello": session.identity.name, "entitlements": [str(held) for held in session.entitlements]}

    def logout(self) -> object:
        """Ends the session. Later requests with its token are denied."""
        self.server.sessions.revoke(self.held())
        return {}

    def held(self) -> str:
        """The token of the session that the request carries."""
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def do_POST(self) -> None:
        self.answer({"/login": self.login, "/logout": self.logout})

    def do_GET(self) -> None:
        self.answer({"/": self.page})

    def answer(self, routes: dict[str, Any]) -> None:
        route = routes.get(self.path)
        if route is None:
            self.send(404, {"error": "not found"})
            return
        try:
            answer = route()
        except Denied as refusal:
            self.send(refusal.http_status or 401, {"error": refusal.code})
        except Unavailable as failure:
            self.send(503, {"error": failure.code})
        except Error as failure:
            self.send(500, {"error": failure.code})
        else:
            self.send(200, answer)

    def send(self, status: int, body: object) -> None:
        text = json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        # The answer to a login has the token, which no cache must keep.
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(text)


def main(arguments: list[str]) -> int:
    if len(arguments) not in (1, 2):
        print("usage: login_server.py CONFIG [PORT]", file=sys.stderr)
        return 2
    config, *port = arguments
    try:
        sessions = Sessions.from_file(config)
    except Error as failure:
        print(f"refused: {failure}", file=sys.stderr)
        return 2
    with Server(int(port[0]) if port else 8080, sessions) as server:
        print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
