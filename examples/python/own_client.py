"""Decides with keys that this program fetches itself: python own_client.py CONFIG TOKEN

Where a program has an HTTP client of its own, with its proxies, certificates and statistics, the verifier can use that
one. This one is urllib's. What is printed and the exit status are those of authenticate.py.
"""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from jwtauth import Denied, Error, FetchError, FetchRequest, FetchResponse, Unavailable, Verifier


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect may lead anywhere, so the verifier is to see it, and refuses it."""

    def redirect_request(self, *_: object) -> None:
        return None


CLIENT = urllib.request.build_opener(NoRedirects)


def fetch(request: FetchRequest) -> FetchResponse:
    """Called by the verifier whenever it wants a document, on the thread that authenticates."""
    deadline = time.monotonic() + request.timeout
    asked = urllib.request.Request(request.url, headers=request.headers)
    try:
        # The timeout of urllib is for each wait by itself; the verifier's is for everything.
        with CLIENT.open(asked, timeout=request.timeout) as answer:
            body = b""
            while len(body) <= request.max_bytes and (part := answer.read1(64 * 1024)):
                body += part
                if time.monotonic() > deadline:
                    raise FetchError("http", "the answer takes too long")
            return FetchResponse(answer.status, body, answer.headers.items())
    except urllib.error.HTTPError as answer:
        with answer:
            return FetchResponse(answer.code, headers=answer.headers.items())
    except urllib.error.URLError as failure:
        raise FetchError("connect", "no connection to the key server") from failure


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print("usage: own_client.py CONFIG TOKEN", file=sys.stderr)
        return 2
    config, token = arguments
    try:
        grant = Verifier(Path(config).read_text(encoding="utf-8"), fetch=fetch).authenticate(token)
    except Denied as refusal:
        print(f"refused: {refusal}")
        return 1
    except (Error, OSError) as failure:
        print(f"refused: {failure}", file=sys.stderr)
        return 3 if isinstance(failure, Unavailable) else 2
    print(f"granted: {grant.identity.name or '(no name)'} {list(grant.entitlements)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
