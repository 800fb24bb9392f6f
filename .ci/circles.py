"""Finds circles: files of a crate that use each other, and top-level modules of the core that do. Compares what these
modules use with the table below.

    circles.py              all crates of the workspace
    circles.py --edges      what each top-level module of the core uses
    circles.py --files      what each file uses, with the first line that does
    circles.py --self-test  checks that it finds circles made on purpose, and no others
"""

import sys
import tempfile
from pathlib import Path

from rust_uses import Crate

CORE = Path("crates/jwtauth-core")

# The arrows of docs/ARCHITECTURE.md: which top-level module of the core may use which others.
ARROWS = """
wire -> batch claims dialect events explain expr policy sources token_cache verifier
batch -> sources verifier
lint -> claims dialect envelope expr policy sources
verifier -> claims counters envelope events explain keys pipeline policy sources token_cache
explain -> claims expr keys pipeline policy sources
envelope -> claims dialect policy token_cache
token_cache -> claims pipeline sources
pipeline -> claims expr keys policy
sources -> events keys policy
dialect -> expr keys policy
policy -> expr keys
expr -> claims
grant -> claims
clock -> claims
"""

# The small modules at the bottom: every module may use them.
FLOOR = ["clock", "config_file", "duration", "error", "file", "grant", "hidden", "json", "members", "network", "ordered", "query", "request", "stripe", "warning"]

ROOTS = ("src/lib.rs", "src/main.rs", "src/bin/*.rs", "src/bin/*/main.rs")

Graph = dict[str, dict[str, str]]  # who → whom → where, for a person to read


def by_file(crate: Crate) -> Graph:
    return {
        str(user): {str(used): f"{user}:{line} uses {name}" for used, (line, name) in uses.items()}
        for user, uses in crate.edges.items()
    }


def by_module(crate: Crate) -> Graph:
    """The same between what is directly below the root; without what the root file uses."""
    graph: Graph = {}
    for user, uses in sorted(crate.edges.items()):
        for used, (line, name) in sorted(uses.items()):
            here, there = (file.relative_to(crate.root.parent).parts[0].removesuffix(".rs") for file in (user, used))
            if here != there and user != crate.root:
                graph.setdefault(here, {}).setdefault(there, f"{user}:{line} uses {name}")
    return graph


def circles(graph: Graph) -> list[list[str]]:
    """The groups of two and more that reach each other."""

    def reached(start: str) -> set[str]:
        todo, seen = [start], set()
        while todo:
            new = graph.get(todo.pop(), {}).keys() - seen
            seen |= new
            todo += new
        return seen

    reach = {name: reached(name) for name in graph}
    groups = {frozenset(other for other in reach[name] if name in reach.get(other, ())) for name in graph}
    return sorted(sorted(group) for group in groups if len(group) > 1)


def in_circles(what: str, graph: Graph) -> list[str]:
    found = []
    for group in circles(graph):
        found.append(f"circle between {what}: {' '.join(group)}")
        found += [f"    {graph[user][used]}" for user in group for used in group if used in graph[user]]
    return found


def against(graph: Graph, table: str = ARROWS, floor: list[str] = FLOOR) -> list[str]:
    """What is used without an arrow, and which arrows no code has."""
    lines = (line.split(" -> ") for line in table.strip().splitlines())
    arrows = {user: used.split() for user, used in lines}
    found = [
        f"the table has no arrow {user} -> {used}: {where}"
        for user, uses in sorted(graph.items())
        for used, where in sorted(uses.items())
        if used not in floor and used not in arrows.get(user, ())
    ]
    stale = [(user, used) for user in arrows for used in arrows[user] if used not in graph.get(user, ())]
    found += [f"the table has an arrow that no code has: {user} -> {used}" for user, used in stale]
    unused = [one for one in floor if not any(one in uses for uses in graph.values())]
    return found + [f"no module uses the small module {one}" for one in unused]


def self_test() -> list[str]:
    """Whether each crate of `SAMPLES` has the circles that it was made with."""
    found = []
    for name, (files, modules, sources) in SAMPLES.items():
        with tempfile.TemporaryDirectory() as folder:
            for path, text in sources.items():
                file = Path(folder) / path
                file.parent.mkdir(exist_ok=True)
                file.write_text(text, encoding="utf-8")
            crate = Crate(Path(folder) / "lib.rs")
            seen = [[str(Path(file).relative_to(folder)) for file in one] for one in circles(by_file(crate))]
        if crate.unknown:
            found.append(f"{name}: {crate.unknown}")
        if seen != files:
            found.append(f"{name}: the circles of files are {files}, found were {seen}")
        if (seen := circles(by_module(crate))) != modules:
            found.append(f"{name}: the circles of modules are {modules}, found were {seen}")
    graph = {"a": {"b": "a.rs:1 uses b", "low": "a.rs:2 uses low"}}
    complaints = [against(graph, table, ["low"]) for table in ("a -> b", "a -> b c", "c -> a")]
    if [len(one) for one in complaints] != [0, 1, 2]:
        found.append(f"arrows: {complaints}")
    return found


def main() -> int:
    if "--self-test" in sys.argv:
        return report(self_test())
    core = Crate(CORE / "src/lib.rs")
    if "--edges" in sys.argv:
        for user, uses in sorted(by_module(core).items()):
            floor = [used for used in sorted(uses) if used in FLOOR]
            print(user, "->", *(used for used in sorted(uses) if used not in floor), f"({' '.join(floor)})")
        return 0
    found = []
    packages = [*sorted(Path("crates").iterdir()), *(Path("bindings") / one for one in ("node", "python"))]
    roots = [root for package in packages for pattern in ROOTS for root in sorted(package.glob(pattern))]
    for crate in map(Crate, roots):
        if "--files" in sys.argv:
            for uses in by_file(crate).values():
                print(*(f"{where} of {used}" for used, where in uses.items()), sep="\n")
        found += crate.unknown + in_circles("files", by_file(crate))
    found += in_circles("modules", by_module(core)) + against(by_module(core))
    return report(found)


def report(found: list[str]) -> int:
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


# Crates for the self-test: the circles of files, those of modules, the sources.
SAMPLES = {
    "through super": (
        [["a/x.rs", "a/y.rs"]],
        [],
        {
            "lib.rs": "mod a;",
            "a/mod.rs": "mod x; mod y; pub use self::y::Y;",
            "a/x.rs": "use super::y::Y; pub(crate) struct X(Y); impl X { fn m() {} }",
            "a/y.rs": "pub struct Y; fn f() { super::x::X::m() }",
        },
    ),
    "through a re-export": (
        [["a/x.rs", "b.rs"]],
        [["a", "b"]],
        {
            "lib.rs": "mod a; mod b; pub use crate::a::Other;",
            "a/mod.rs": "mod x; pub use self::x::{self as inner, X as Other};",
            "a/x.rs": "use crate::b::B; pub struct X(B);",
            "b.rs": "use crate::{a::{self}}; pub struct B(Option<a::Other>);",
        },
    ),
    "with the parent": (
        [["a/mod.rs", "a/x.rs"]],
        [],
        {
            "lib.rs": "mod a;",
            "a/mod.rs": "mod x; pub use self::x::X; pub struct Parent(X);",
            "a/x.rs": "use super::Parent as Owner; pub struct X(Box<Owner>);",
        },
    ),
    "of folders": (
        [],
        [["a", "b"]],
        {
            "lib.rs": "mod a; mod b;",
            "a/mod.rs": "mod p; pub mod q;",
            "a/p.rs": "struct P { #[serde(serialize_with = \"crate::b::r::write\")] p: u8 }",
            "a/q.rs": "pub fn read<'a>(q: &'a str) -> char { 'a' }",
            "b/mod.rs": "pub mod r; mod s;",
            "b/r.rs": "pub fn write() {}",
            "b/s.rs": "fn s() { let s = crate::a::q::read(r#\"\"{}\"#); }",
        },
    ),
    "none": (
        [],
        [],
        {
            "lib.rs": "mod a; mod b; macro_rules! items { () => { pub struct Made; } } items!();",
            "a/mod.rs": "mod x; mod y; pub use self::{x::*, y::Y}; /* /* */ use crate::b::B; */ const LIMIT: u8;",
            "a/x.rs": "// use crate::b::B;\npub struct X; const L: u8 = super::LIMIT; #[cfg(test)] mod t { use crate::b::B; }",
            "a/y.rs": "pub struct Y { #[cfg(test)] b: crate::b::B, x: super::x::X } const C: &str = \"crate::b::B\";",
            "b.rs": "use crate::a::{X, Y}; #[cfg(test)] use crate::c; pub struct B; fn b(x: X, y: Y) -> crate::Made {}",
        },
    ),
}

if __name__ == "__main__":
    sys.exit(main())
