"""Checks that the links of the documentation to files and headings of the repository are valid."""

import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from urllib.parse import unquote

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """Returns the anchors of a page's headings."""
    names: set[str] = set()
    for heading in re.findall(r"^#+ +(.*?) *#*$", FENCE.sub("", text), re.MULTILINE):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        kept = (c for c in heading if c in "-_ " or unicodedata.category(c)[0] in "LN")
        name = base = "".join(kept).replace(" ", "-")
        count = 0
        while name in names:
            count += 1
            name = f"{base}-{count}"
        names.add(name)
    return names


def broken(page: Path) -> list[str]:
    found = []
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        file = (page.parent / path) if path else page
        if not file.exists():
            found.append(f"{page}: the target {target} does not exist")
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
            found.append(f"{page}: {path or page.name} has no heading {anchor}")
    return found


def main() -> int:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "*.md"],
        capture_output=True,
        check=True,
        text=True,
    )
    pages = [Path(name) for name in sorted(listed.stdout.split("\0")) if name]
    found = [problem for page in pages for problem in broken(page)]
    for problem in found:
        print(problem, file=sys.stderr)
    if not found:
        print(f"links: {len(pages)} pages, all links are valid")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
