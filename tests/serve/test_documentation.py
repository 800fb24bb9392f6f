"""The lines of "First steps" in docs/serve.md run as they are written, and are answered with the members that the page shows."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

from serve import LIMIT, PROGRAM, ROOT, Lines

PAGE = ROOT / "docs/serve.md"


def blocks() -> list[tuple[str, str]]:
    """The language and the text of each block of the section."""
    section = PAGE.read_text().split("## First steps\n")[1].split("\n## ")[0]
    return re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def is_shown(seen: object, shown: object) -> bool:
    """Whether an answer has exactly the members that are shown, and their values. `…` stands for any value, or part of a text."""
    if isinstance(shown, dict) and isinstance(seen, dict):
        return shown.keys() == seen.keys() and all(is_shown(seen[name], value) for name, value in shown.items())
    if isinstance(shown, list) and isinstance(seen, list):
        return len(shown) == len(seen) and all(map(is_shown, seen, shown))
    if shown == "…":
        return isinstance(seen, int) or bool(seen)
    if isinstance(shown, str) and isinstance(seen, str) and "…" in shown:
        return fnmatch.fnmatchcase(seen, shown.replace("…", "?*"))
    return type(seen) is type(shown) and seen == shown


class Shell:
    """One shell for all blocks: variables stay."""

    def __init__(self, folder: Path) -> None:
        (folder / "bin").mkdir()
        (folder / "bin/jwtauth").symlink_to(PROGRAM.resolve())
        environment = os.environ | {"PATH": f"{folder}/bin:{os.environ['PATH']}"}
        self.process = subprocess.Popen(
            ["bash", "-euo", "pipefail"], cwd=folder, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, text: str) -> str:
        self.process.stdin.write(f"{text}\nprintf '\\n=done=\\n'\n")
        self.process.stdin.flush()
        output = ""
        while not output.endswith("\n=done=\n"):
            line = self.process.stdout.readline()
            assert line, f"the shell ended: {text}\n{output}"
            output += line
        return output.removesuffix("\n=done=\n")

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait(LIMIT)


def test_the_first_steps_are_answered_as_the_page_shows() -> None:
    with tempfile.TemporaryDirectory(prefix="jwtauth-steps-") as name:
        folder = Path(name)
        shell = Shell(folder)
        (kind, setup), *rest = blocks()
        *lines, start = setup.splitlines()
        assert kind == "sh" and start.endswith(" &"), start
        shell.run("\n".join(lines))
        program, *arguments = start.removesuffix(" &").split()
        assert program == "jwtauth"
        server = subprocess.Popen(
            [PROGRAM, *arguments, "--listen", "127.0.0.1:0"], cwd=folder, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            port = Lines(server.stderr).wait_for("listening on ").rsplit(":", 1)[1].strip()
            answer = ""
            for kind, text in rest:
                if kind == "sh":
                    answer = shell.run(text.replace("127.0.0.1:8200", f"127.0.0.1:{port}"))
                elif kind == "json":
                    assert is_shown(json.loads(answer), json.loads(text)), answer
                else:
                    shown = [line.strip() for line in text.splitlines()]
                    seen = [line.strip() for line in answer.splitlines() if line.strip()]
                    assert is_shown(sorted(seen), sorted(shown)), answer
            shell.end()
            assert sum(kind != "sh" for kind, _ in rest) >= 8
        finally:
            server.kill()
            server.wait(LIMIT)
