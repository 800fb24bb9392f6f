"""Decides about one token: python authenticate.py CONFIG TOKEN [PROFILE]"""

from __future__ import annotations

import sys
from pathlib import Path

from jwtauth import Denied, Error, Verifier


def main(config: str, token: str, profile: str | None = None) -> int:
    try:
        verifier = Verifier(Path(config).read_text(encoding="utf-8"))
        grant = verifier.authenticate(token, profile=profile)
    except Denied as why:
        print(f"denied: {why}")
        return 1
    except Error as why:
        print(f"failed: {why}", file=sys.stderr)
        return 2
    print(f"granted: {grant.identity.name}")
    for entitlement in grant.entitlements:
        print(f"  {entitlement.kind} {entitlement.name}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: authenticate.py CONFIG TOKEN [PROFILE]")
    sys.exit(main(*sys.argv[1:]))
