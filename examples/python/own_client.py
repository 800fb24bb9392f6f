"""Decides with keys that this program fetches itself: python own_client.py CONFIG TOKEN

If a program has an HTTP client, with its proxies, certificates and statistics, the verifier can use it. This example
uses urllib. Its output and exit status are those of authenticate.py.
"""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from jwtauth import Denied, Error, FetchError, FetchRequest, FetchResponse, Unavailable, Verifier


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Passes redirects to the verifier, which refuses them, because a redirect could lead to any server."""

    def redirect_request(self, *_: object) -> None:
        return None


CLIENT = urllib.request.build_opener(NoRedirects)


def fetch(request: FetchRequest) -> FetchResponse:
    """The verifier calls this whenever it needs a document, on the authenticating thread or on another one."""
    deadline = time.monotonic() + request.timeout
    asked = urllib.request.Request(request.url, headers=request.headers)
    try:
        # The timeout of urllib applies to each wait; the verifier's deadline applies to the whole fetch.
        with CLIENT.open(asked, timeout=request.timeout) as answer:
            body = b""
            while len(body) <= request.max_bytes and (part := answer.read1(64 * 1024)):
                body += part
                if time.monotonic() > deadline:
                    raise FetchError("http", "the response takes too long")
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
