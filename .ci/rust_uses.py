"""Reads the Rust source of a crate, without tests, and says which file uses which.

A path in code or in a `use` counts for the file that defines what the path names: a re-export is followed to its end,
and to re-export something is not to use it. Limits: a method that is called on a value has no path, so it is not seen;
what a macro of another crate makes is not known; a `use` inside a function is read as one of its module.
"""

import re
from collections import defaultdict
from pathlib import Path

TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*)
    |(?P<comment>/\*)
    |(?P<string>[bc]?r(?P<hashes>\#*)".*?"(?P=hashes)|[bc]?"(?:\\.|[^"\\])*"|b?'(?:\\[^\n]+?|[^\\'\n])')
    |(?P<word>(?:r\#)?\w+)
    |(?P<mark>::|.)""",
    re.VERBOSE | re.DOTALL,
)
OPEN, CLOSE = "([{", ")]}"
DEFINING = {"fn", "struct", "enum", "union", "trait", "type", "const", "static", "macro_rules"}
ITEM = DEFINING | {"pub", "mod", "use", "impl", "unsafe", "async", "extern"}


def tokens(text: str) -> list[tuple[str, int]]:
    """The tokens of Rust source with their lines, without comments. A string becomes `""`."""
    found, at, line = [], 0, 1
    while match := TOKEN.match(text, at):
        end = match.end()
        if match["comment"]:
            depth = 1
            while depth:
                mark = re.compile(r"/\*|\*/").search(text, end)
                depth, end = depth + (1 if mark[0] == "/*" else -1), mark.end()
        elif match["string"]:
            # `serialize_with = "duration::serialize"` is a path, too.
            if len(found) > 1 and found[-1][0] == "=" and found[-2][0].endswith("serialize_with"):
                found += [(token, line) for token in re.findall(r"\w+|::", match[0])]
            else:
                found.append(('""', line))
        elif not match["skip"]:
            found.append((match[0].removeprefix("r#"), line))
        line += text.count("\n", at, end)
        at = end
    return found


def group(code: list[tuple[str, int]], at: int) -> int:
    """Where the bracket that opens at `at` ends: the place after its partner."""
    depth = 0
    for place in range(at, len(code)):
        depth += (code[place][0] in OPEN) - (code[place][0] in CLOSE)
        if depth == 0:
            return place + 1
    raise ValueError(f"line {code[at][1]}: a bracket is not closed")


def end_of(code: list[tuple[str, int]], at: int) -> int:
    """Where the item that begins at `at` ends: after its braces or `;`; a field, a variant or an arm after `,`."""
    is_item = code[at][0] in ITEM
    while (word := code[at][0]) not in CLOSE:
        if word == ";" or (word == "," and not is_item):
            return at + 1
        if word == "{" and is_item:
            return group(code, at)
        at = group(code, at) if word in OPEN else at + 1
    return at


def without_tests(code: list[tuple[str, int]]) -> list[tuple[str, int]]:
    kept, at = [], 0
    while at < len(code):
        words = [word for word, _ in code[at : at + 7]]
        if words[:5] == ["#", "[", "cfg", "(", "test"] or words == ["#", "[", "cfg", "(", "all", "(", "test"]:
            while code[at][0] == "#":
                at = group(code, at + 1)
            at = end_of(code, at)
        else:
            kept.append(code[at])
            at += 1
    return kept


class Module:
    """A module: what it defines, what it imports, which paths its code has."""

    def __init__(self, path: tuple[str, ...], file: Path):
        self.path, self.file = path, file
        self.items: set[str] = set()
        self.imports: dict[str, list[list[str]]] = defaultdict(list)  # name → the paths it may stand for
        self.globs: list[list[str]] = []
        self.uses: list[tuple[list[str], int]] = []


class Crate:
    """The modules below a root file, and which file uses which."""

    def __init__(self, root: Path):
        self.root = root
        self.modules: dict[tuple[str, ...], Module] = {}
        self.edges: dict[Path, dict[Path, tuple[int, str]]] = defaultdict(dict)
        self.unknown: list[str] = []
        self.load((), root, root.parent)
        for module in self.modules.values():
            for path, line in module.uses:
                self.use(module, path, line)

    def load(self, path: tuple[str, ...], file: Path, folder: Path) -> None:
        code = without_tests(tokens(file.read_text(encoding="utf-8")))
        self.read(Module(path, file), code, folder)

    def read(self, module: Module, code: list[tuple[str, int]], folder: Path) -> None:
        """Reads a module's code; `folder` is where the files of its child modules are."""
        self.modules[module.path] = module
        words = [word for word, _ in code] + ["", "", ""]
        at = depth = macro_ends = 0
        while at < len(code):
            word, line = code[at]
            following = words[at + 1]
            if word == "use" and following != "<" and words[at - 1] != "$":
                end = words.index(";", at)
                is_public = at > 0 and words[at - 1] in ("pub", ")")
                self.import_tree(module, code[at + 1 : end], [], is_public)
                at = end
            elif word == "mod" and depth == 0 and words[at + 2] == ";":
                inner = folder / following
                files = [file for file in (inner.with_suffix(".rs"), inner / "mod.rs") if file.exists()]
                if not files:
                    raise ValueError(f"{module.file}:{line}: there is no file for mod {following}")
                self.load((*module.path, following), files[0], inner)
            elif word == "mod" and depth == 0 and words[at + 2] == "{":
                end = group(code, at + 2)
                inner = Module((*module.path, following), module.file)
                self.read(inner, code[at + 3 : end - 1], folder / following)
                at = end - 1
            else:
                if word in DEFINING and (depth == 0 or at < macro_ends):
                    name = words[at + 2] if following in ("!", "mut") else following
                    module.items.add(name)
                if word == "macro_rules":
                    macro_ends = group(code, at + 3)
                depth += (word in OPEN) - (word in CLOSE)
                if re.match(r"[^\W\d]", word) and words[at - 1] not in (".", "::"):
                    path = [word]
                    while words[at + 1] == "::" and re.match(r"[^\W\d]", words[at + 2]):
                        at += 2
                        path.append(words[at])
                    # A single lower-case word is a path only if it is called; otherwise it names something local.
                    is_called = words[at + 1] == "(" and words[at - 1] != "fn"
                    if len(path) > 1 or is_called or path[0][0].isupper():
                        module.uses.append((path, line))
            at += 1

    def import_tree(self, module: Module, tree: list[tuple[str, int]], prefix: list[str], is_public: bool) -> None:
        """Reads a `use` tree: `a::{b as c, d::{self, e}, f::*}`."""
        path, at = list(prefix), 0
        while at < len(tree):
            word, line = tree[at]
            if word == "{":
                branch = at + 1
                for place in range(at + 1, group(tree, at)):
                    depth = sum((w in OPEN) - (w in CLOSE) for w, _ in tree[branch:place])
                    if depth == 0 and tree[place][0] in (",", "}"):
                        self.import_tree(module, tree[branch:place], path, is_public)
                        branch = place + 1
                return
            if word == "*":
                module.globs.append(path)
                return
            if word == "as":
                break
            if word != "::" and not (word == "self" and path):
                path.append(word)
            at += 1
        if not tree:
            return
        name = tree[-1][0] if "as" in (word for word, _ in tree) else path[-1]
        module.imports[name].append(path)
        if not is_public:
            module.uses.append((path, tree[0][1]))

    def use(self, module: Module, path: list[str], line: int) -> None:
        """Counts a path in a module's code for the files that define what it names."""
        found = self.resolve(module, path, frozenset())
        if not found and path[0] in ("crate", "self", "super") and len(path) > 1:
            self.unknown.append(f"{module.file}:{line}: cannot find {'::'.join(path)}")
        for file in found:
            if isinstance(file, Path) and file != module.file:
                known = self.edges[module.file].get(file)
                if known is None or line < known[0]:
                    self.edges[module.file][file] = (line, "::".join(path))

    def resolve(self, module: Module, path: list[str], seen: frozenset) -> list["Module | Path | None"]:
        """What a path means in a module: a module, the file of an item, `None` for what another crate defines."""
        found: list[Module | Path | None] = [module]
        for place, name in enumerate(path):
            if place == 0 and name == "crate":
                found = [self.modules[()]]
            elif name == "super" and isinstance(found[0], Module):
                found = [self.modules[found[0].path[:-1]]]
            elif not (place == 0 and name == "self"):
                # Before `::`, a name that is a function's too is the module's. What follows an item is part of it.
                found = [one for one in found if isinstance(one, Module)] or found
                parts = [self.lookup(one, name, seen) if isinstance(one, Module) else [one] for one in found]
                found = [one for part in parts for one in part]
        return found

    def lookup(self, module: Module, name: str, seen: frozenset) -> list["Module | Path | None"]:
        if (module.path, name) in seen:
            return []
        seen |= {(module.path, name)}
        found: list[Module | Path | None] = [module.file] if name in module.items else []
        if child := self.modules.get((*module.path, name)):
            found.append(child)
        for path in module.imports[name]:
            # A path that starts with no module of ours leads to another crate.
            found += self.resolve(module, path, seen) or [None]
        if not found:
            for path in module.globs:
                for place in self.resolve(module, path, seen):
                    found += self.lookup(place, name, seen) if isinstance(place, Module) else [None]
        return found
