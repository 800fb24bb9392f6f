"""Checks that the paths in the tables of docs/ARCHITECTURE.md exist, so that a renamed file changes the page, too.

A code of a table is a path if it has a slash, or ends as a file of the sources does. In a column that is headed "path",
"module" or "file", every code is a path. A path begins at one of BASES. The ending `.rs` may be left out, and `{a,b}`
stands for both. A code with any other character, such as a space, `:` or `<`, is a command or a name and is not checked.
"""

import re
import sys
from pathlib import Path

PAGE = Path("docs/ARCHITECTURE.md")
BASES = [Path(base) for base in (".", "crates", "crates/jwtauth-core/src", "crates/jwtauth-core/src/sources")]
COLUMNS = ("path", "module", "file")
ENDINGS = (".h", ".hpp", ".js", ".json", ".md", ".py", ".pyi", ".rs", ".toml", ".ts", ".txt")


def tables(text: str) -> list[tuple[str, str]]:
    """Returns the cells of all tables, each with the head of its column."""
    cells, heads = [], []
    for line in text.splitlines():
        row = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        heads = heads if row and heads else row
        cells += zip(heads, row, strict=True)
    return cells


def expanded(path: str) -> list[str]:
    """Returns the paths that `{a,b}` stands for."""
    if not (group := re.search(r"\{([^{}]*)\}", path)):
        return [path]
    start, end = path[: group.start()], path[group.end() :]
    return [one for middle in group[1].split(",") for one in expanded(start + middle + end)]


def exists(path: str) -> bool:
    return any((base / path).exists() or (base / f"{path}.rs").exists() for base in BASES)


def main() -> int:
    codes = [(head, code) for head, cell in tables(PAGE.read_text("utf-8")) for code in re.findall("`([^`]+)`", cell)]
    paths = {
        path
        for head, code in codes
        if re.fullmatch(r"[\w.{},/-]+", code) and (head in COLUMNS or "/" in code or code.endswith(ENDINGS))
        for path in expanded(code)
    }
    missing = sorted(path for path in paths if not exists(path))
    for path in missing:
        print(f"{PAGE}: the path {path} does not exist", file=sys.stderr)
    if not missing:
        print(f"places: {len(paths)} paths of {PAGE}, all exist")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
