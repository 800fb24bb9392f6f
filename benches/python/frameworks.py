"""The throughput of a FastAPI application with and without a check of tokens: `.ci/bench-python` runs it.

A real server (uvicorn) answers the same requests on several routes. The routes take turns in batches of requests that are sent at
once, so that the server has always something to do, and other load slows down all of them. `of plain` is the median, over all turns,
of the throughput of a route divided by that of the route without a check in the same turn.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import fastapi
import jwt
import uvicorn
from decisions import AUDIENCE, ISSUER, Rsa, Secret

BATCH = 50


class Route:
    def __init__(self, name: str, path: str, token: str | None, stream: socket.socket) -> None:
        self.name = name
        self.stream = stream
        bearer = "" if token is None else f"Authorization: Bearer {token}\r\n"
        headers = "Host: api.example.com\r\nAccept: */*\r\nUser-Agent: bench\r\n"
        self.request = f"GET {path} HTTP/1.1\r\n{headers}{bearer}\r\n".encode()
        self.times: list[float] = []
        self.batch(1)

    def batch(self, count: int) -> float:
        """The time of one of some requests that are sent at once."""
        start = time.perf_counter()
        self.stream.sendall(self.request * count)
        found = b""
        while found.count(b"\r\n\r\n{") < count or not found.endswith(b"}"):
            part = self.stream.recv(1 << 16)
            if not part:
                sys.exit(f"{self.name}: the server has closed the connection")
            found += part
        if found.count(b"HTTP/1.1 200 OK\r\n") != count:
            sys.exit(f"{self.name}: {found[:300].decode()}")
        return (time.perf_counter() - start) / count


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=300)
    options = parser.parse_args()
    made = {one.alg: one for one in (Secret(), Rsa())}
    keys = {alg: {"source": one.source, "jwk": one.jwk} for alg, one in made.items()}
    settings = json.dumps({"issuer": ISSUER, "audience": AUDIENCE, "keys": keys})
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        server = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "fastapi_app.py"), str(listener.fileno())],
            env={**os.environ, "SETTINGS": settings},
            pass_fds=[listener.fileno()],
        )
    try:
        with socket.create_connection(address) as stream:
            routes = [Route("without a check", "/plain", None, stream)]
            for alg, one in made.items():
                routes.append(Route(f"{alg}, jwtauth", f"/jwtauth/{alg}", one.token, stream))
                routes.append(Route(f"{alg}, PyJWT {jwt.__version__} by hand", f"/pyjwt/{alg}", one.token, stream))
            for turn in range(options.turns):
                # Each one runs after different ones.
                for route in routes if turn % 2 else routes[::-1]:
                    route.times.append(route.batch(BATCH))
    finally:
        server.terminate()
        server.wait()
    print(f"FastAPI {fastapi.__version__} with uvicorn {uvicorn.__version__}; {options.turns} turns.\n")
    print("| | of plain |\n|---|---|")
    for route in routes:
        ratio = median(plain / own for plain, own in zip(routes[0].times, route.times, strict=True))
        print(f"| {route.name} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
