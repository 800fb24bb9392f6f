#!/usr/bin/python3
"""Answers Apache's questions: each line is the letter `a` and the header `Authorization` of a request."""

import urllib.error
import urllib.request

SERVER = "http://127.0.0.1:8200/auth"
# The environment may name a proxy, which must not get tokens.
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

for line in open(0, encoding="latin-1"):
    authorization = line.rstrip("\n")[1:]
    try:
        headers = {"Authorization": authorization} if authorization else {}
        with opener.open(urllib.request.Request(SERVER, headers=headers), timeout=10) as answer:
            print("u:" + (answer.headers["X-Auth-User"] or ""), flush=True)
    except urllib.error.HTTPError as why:
        print(why.code, flush=True)
    except (OSError, ValueError):
        print(503, flush=True)
