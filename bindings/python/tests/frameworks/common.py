"""What the applications share. Their environment has the verifiers: the path of a JSON file, with a configuration for each name.

Every application has the same routes. ``main`` decides most of them, and each other verifier the route of its name. A handler
answers with the name of the caller, or ``null`` without a grant, and each call of a handler is counted.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from jwtauth import Grant, Verifier

CONFIGS: dict[str, Any] = json.loads(Path(os.environ["VERIFIERS"]).read_text(encoding="utf-8"))
VERIFIERS = {name: Verifier(config) for name, config in CONFIGS.items()}
MAIN = VERIFIERS["main"]
OTHERS = {name: verifier for name, verifier in VERIFIERS.items() if name != "main"}

REQUIREMENTS: dict[str, dict[str, Any]] = {
    "/deploy": {"policy": "deploy"},
    "/admin": {"role": "admin"},
    "/staff": {"group": ["engineering", "staff"]},
    "/both": {"policy": "deploy", "group": "staff"},
}
OPTIONS: dict[str, Any] = {"realm": "test", "retry_after": 7}


def options(name: str) -> dict[str, Any]:
    """The options of the integration for a verifier. Those of ``wrong`` have a mistake that only a request shows."""
    return {**OPTIONS, "profile": "\ud800"} if name == "wrong" else OPTIONS


METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]

reached: list[str] = []
"""The paths whose handlers were called."""


def answer(path: str, grant: Grant | None) -> dict[str, str | None]:
    """Counts the call of a handler, and returns its answer."""
    reached.append(path)
    return {"name": None if grant is None else grant.identity.name}


def framework_modules() -> list[str]:
    """The frameworks that this process has loaded."""
    names = {"starlette", "fastapi", "flask", "django", "rest_framework"}
    return sorted(names & set(sys.modules))
