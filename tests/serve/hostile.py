"""The table of `docs/hostile-clients.md` that tests of this folder make. UPDATE_GENERATED=1 writes their rows again."""

from __future__ import annotations

import os

from serve import ROOT

PAGE = ROOT / "docs/hostile-clients.md"
START, END = "<!-- tests/serve: begin -->\n", "<!-- tests/serve: end -->\n"


def rows() -> dict[str, str]:
    """The rows of the table, by what clients do."""
    table = PAGE.read_text().split(START)[1].split(END)[0]
    cells = [line.strip("|\n").split("|") for line in table.splitlines()[2:]]
    return {what.strip(): outcome.strip() for what, outcome in cells}


def outcome(what: str, seen: str) -> None:
    """Compares what was seen with the row of the table."""
    if os.environ.get("UPDATE_GENERATED"):
        table = rows() | {what: seen}
        lines = ["| what | outcome |", "|---|---|", *(f"| {what} | {table[what]} |" for what in sorted(table))]
        before, rest = PAGE.read_text().split(START)
        PAGE.write_text(before + START + "\n".join(lines) + "\n" + END + rest.split(END)[1])
    assert rows().get(what) == seen, f"{what}: {seen}"
