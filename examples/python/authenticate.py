"""Decides about one token: python authenticate.py CONFIG TOKEN [PROFILE]

CONFIG is a file with a configuration: JSON, or a grafana.ini. The decision is printed on standard output. The exit
status is 0 for a grant, 1 for a denial, 2 for an invalid configuration or command line, 3 if the keys are unavailable.
"""

from __future__ import annotations

import sys

from jwtauth import Denied, Error, Unavailable, Verifier


def main(arguments: list[str]) -> int:
    if len(arguments) not in (2, 3):
        print("usage: authenticate.py CONFIG TOKEN [PROFILE]", file=sys.stderr)
        return 2
    config, token, *profile = arguments
    try:
        verifier = Verifier.from_file(config)
        grant = verifier.authenticate(token, profile=profile[0] if profile else None)
    except Denied as refusal:
        print(f"refused: {refusal}")
        return 1
    except Error as failure:
        print(f"refused: {failure}", file=sys.stderr)
        return 3 if isinstance(failure, Unavailable) else 2
    print(f"granted: {grant.identity.name or '(no name)'} {list(grant.entitlements)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
