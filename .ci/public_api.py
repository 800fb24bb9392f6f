"""Lists what a crate makes public, one item on each line, from the JSON that rustdoc writes (standard input).

An item is listed under its shortest path; a line with `use` gives each other path. Names of the crate are without the
crate's name. A name of the standard library is without its path where that is clear; a name of another crate has the
crate's name before it, because the modules between them may be private. `private::` marks a type that a public item
mentions although it has no public path. Auto traits, blanket implementations and what the documentation hides are left
out.
"""

import json
import sys
from typing import Any

# The version of the JSON that this script reads (https://docs.rs/rustdoc-types has each), and a Rust that writes it.
FORMAT, RUST = 57, "1.95"

# Parts of the standard library, and of serde, which are crates of their own.
WHOLE = {"core": "std", "alloc": "std", "serde_core": "serde"}
# Not a trait that a program can name: `derive(PartialEq)` leaves it.
UNNAMED_TRAITS = {"StructuralPartialEq"}


def kind_of(value: Any) -> tuple[str, Any]:
    """The name and the content of `{"name": content}`, which may also be `"name"`."""
    return (value, {}) if isinstance(value, str) else next(iter(value.items()))


class Api:
    def __init__(self, crate: dict):
        self.index = {int(id): item for id, item in crate["index"].items()}
        self.known = {int(id): item for id, item in crate["paths"].items()}
        self.paths: dict[int, str] = {}
        self.lines: list[tuple[str, str]] = []  # what a line is sorted by, the line
        self.implemented: set[int] = set()
        self.find_paths(crate["root"])
        for id, path in self.paths.items():
            self.add_item(id, path)

    # Paths

    def find_paths(self, root: int) -> None:
        """Breadth first, so that the first path of an item is its shortest."""
        modules = [(root, "")]
        for module, prefix in modules:
            found = sorted(self.members(module), key=lambda member: member[0])
            for name, id, source in found:
                path = prefix + name
                if id not in self.index:
                    self.line(path, f"use {path} = {source}")
                elif id in self.paths:
                    self.line(path, f"use {path} = {self.paths[id]}")
                else:
                    self.paths[id] = path
                    if "module" in self.index[id]["inner"]:
                        modules.append((id, f"{path}::"))

    def members(self, module: int) -> list[tuple[str, int, str]]:
        """The names of a module, what each is, and for one of another crate its path."""
        found = []
        for id in self.index[module]["inner"]["module"]["items"]:
            kind, content = kind_of(self.index[id]["inner"])
            if kind == "use" and content["is_glob"] and content["id"] in self.index:
                found += self.members(content["id"])
            elif kind == "use":
                name = "*" if content["is_glob"] else content["name"]
                found.append((name, content["id"], content["source"]))
            elif kind != "impl":
                found.append((self.index[id]["name"], id, ""))
        return found

    def path(self, id: int) -> str:
        if id in self.paths:
            return self.paths[id]
        known = self.known[id]
        crate, *modules, name = known["path"]
        if known["crate_id"] == 0:
            return f"private::{name}"
        crate = WHOLE.get(crate, crate)
        if name in ("Error", "Result"):
            return "::".join([crate, *modules, name])
        return name if crate == "std" else f"{crate}::{name}"

    # Items

    def line(self, path: str, text: str) -> None:
        self.lines.append((path, text))

    def add_item(self, id: int, path: str) -> None:
        item = self.index[id]
        kind, content = kind_of(item["inner"])
        mark = "#[non_exhaustive] " if "non_exhaustive" in item["attrs"] else ""
        generics, where = self.generics(content["generics"]) if "generics" in content else ("", "")
        if kind == "module":
            self.line(path, f"mod {path}")
        elif kind == "function":
            self.line(path, self.function(content, path))
        elif kind == "struct":
            self.line(path, f"{mark}struct {path}{generics}{self.fields(content['kind'], path)}{where}")
        elif kind == "enum":
            self.line(path, f"{mark}enum {path}{generics}{where}")
            for variant in (self.index[id] for id in content["variants"]):
                inner = f"{path}::{variant['name']}"
                mark = "#[non_exhaustive] " if "non_exhaustive" in variant["attrs"] else ""
                fields = self.fields(variant["inner"]["variant"]["kind"], inner)
                self.line(inner, f"{mark}variant {inner}{fields}")
        elif kind == "trait":
            safe = "unsafe " if content["is_unsafe"] else ""
            self.line(path, f"{safe}trait {path}{generics}{self.bounds(content['bounds'])}{where}")
            for part in content["items"]:
                has_body = kind_of(self.index[part]["inner"])[1].get("has_body")
                self.associated(self.index[part], path, path, " { provided }" if has_body else "")
        elif kind == "type_alias":
            self.line(path, f"type {path}{generics} = {self.type(content['type'])}{where}")
        elif kind == "constant":
            self.line(path, f"const {path}: {self.type(content['type'])}")
        else:
            raise ValueError(f"{path} is a {kind}, which this script does not know")
        self.implementations(content.get("impls", []) + content.get("implementations", []), id, path)

    def fields(self, kind: Any, path: str) -> str:
        """What follows the name of a struct or a variant. Fields with names get lines of their own."""
        kind, content = kind_of(kind)
        if kind in ("unit", "plain") and not content:
            return ""
        if kind == "tuple":
            parts = ["_" if id is None else self.type(self.index[id]["inner"]["struct_field"]) for id in content]
            return f"({', '.join(parts)})"
        for id in content["fields"]:
            name, of_type = f"{path}::{self.index[id]['name']}", self.type(self.index[id]["inner"]["struct_field"])
            self.line(name, f"field {name}: {of_type}")
        return " { private fields }" if content["has_stripped_fields"] else ""

    def associated(self, item: dict, path: str, owner: str, end: str = "") -> None:
        """An item of a trait or of an implementation without one; `owner` may have generic arguments."""
        kind, content = kind_of(item["inner"])
        path, shown = f"{path}::{item['name']}", f"{owner}::{item['name']}"
        if kind == "function":
            self.line(path, self.function(content, shown) + end)
        elif kind == "assoc_const":
            self.line(path, f"const {shown}: {self.type(content['type'])}")
        elif kind == "assoc_type":
            self.line(path, f"type {shown}{self.bounds(content['bounds'])}")
        else:
            raise ValueError(f"{path} is a {kind}, which this script does not know")

    def implementations(self, ids: list[int], owner: int, path: str) -> None:
        """Those of a type or a trait. What is implemented for the type itself by name is one line."""
        traits = []
        for id in ids:
            content = self.index[id]["inner"]["impl"]
            if content["is_synthetic"] or content["blanket_impl"] or id in self.implemented:
                continue
            kind, whom = kind_of(content["for"])
            of = whom["id"] if kind == "resolved_path" else None
            if of != owner and of in self.paths:
                continue  # It is listed there.
            self.implemented.add(id)
            whom = self.type(content["for"])
            generics, where = self.generics(content["generics"])
            has_bounds = bool(where or ":" in generics) and "automatically_derived" not in self.index[id]["attrs"]
            if content["trait"] is None:
                if has_bounds:
                    raise ValueError(f"an implementation for {whom} has bounds, which this script does not show")
                for part in content["items"]:
                    self.associated(self.index[part], path, whom)
                continue
            name = self.trait_path(content["trait"])
            parts = (self.index[part] for part in content["items"])
            types = (part for part in parts if "assoc_type" in part["inner"])
            name += "".join(f" ({part['name']} = {self.type(part['inner']['assoc_type']['type'])})" for part in types)
            if of != owner or has_bounds:
                self.line(path, f"impl{generics} {name} for {whom}{where}")
            elif name not in UNNAMED_TRAITS:
                traits.append(name)
        if traits:
            self.line(path, f"impl {' + '.join(sorted(traits))} for {path}")

    def function(self, content: dict, path: str) -> str:
        header, sig = content["header"], content["sig"]
        words = "".join(f"{word} " for word in ("const", "async", "unsafe") if header[f"is_{word}"])
        words += "" if header["abi"] == "Rust" else f'extern "{kind_of(header["abi"])[0]}" '
        generics, where = self.generics(content["generics"])
        inputs = [self.parameter(name, of_type) for name, of_type in sig["inputs"]]
        output = f" -> {self.type(sig['output'])}" if sig["output"] else ""
        return f"{words}fn {path}{generics}({', '.join(inputs)}){output}{where}"

    def parameter(self, name: str, of_type: Any) -> str:
        text = self.type(of_type)
        return text.replace("Self", "self") if name == "self" and text.endswith("Self") else f"{name}: {text}"

    # Types

    def type(self, of_type: Any) -> str:
        kind, content = kind_of(of_type)
        if kind == "resolved_path":
            return self.path(content["id"]) + self.arguments(content["args"])
        if kind in ("generic", "primitive"):
            return "!" if content == "never" else content
        if kind == "borrowed_ref":
            lifetime = f"{content['lifetime']} " if content["lifetime"] else ""
            return f"&{lifetime}{'mut ' * content['is_mutable']}{self.type(content['type'])}"
        if kind == "raw_pointer":
            return f"*{'mut' if content['is_mutable'] else 'const'} {self.type(content['type'])}"
        if kind == "tuple":
            return f"({', '.join(map(self.type, content))}{',' * (len(content) == 1)})"
        if kind == "slice":
            return f"[{self.type(content)}]"
        if kind == "array":
            return f"[{self.type(content['type'])}; {content['len']}]"
        if kind == "impl_trait":
            return f"impl {self.bounds(content)[2:]}"
        if kind == "dyn_trait":
            traits = [self.trait(one) for one in content["traits"]]
            return f"dyn {' + '.join(traits + [content['lifetime']] * bool(content['lifetime']))}"
        if kind == "qualified_path":
            of_trait = f" as {self.trait_path(content['trait'])}" if content["trait"] else ""
            return f"<{self.type(content['self_type'])}{of_trait}>::{content['name']}{self.arguments(content['args'])}"
        if kind == "function_pointer":
            inputs = ", ".join(self.type(one) for _, one in content["sig"]["inputs"])
            output = f" -> {self.type(content['sig']['output'])}" if content["sig"]["output"] else ""
            return f"{self.for_any(content['generic_params'])}fn({inputs}){output}"
        raise ValueError(f"there is a type of the kind {kind}, which this script does not know")

    def arguments(self, args: Any) -> str:
        """The generic arguments of a path."""
        if not args:
            return ""
        kind, content = kind_of(args)
        if kind == "parenthesized":
            output = f" -> {self.type(content['output'])}" if content["output"] else ""
            return f"({', '.join(map(self.type, content['inputs']))}){output}"
        parts = [self.argument(one) for one in content["args"]]
        for one in content["constraints"]:
            how, what = kind_of(one["binding"])
            meant = f" = {self.argument(what)}" if how == "equality" else self.bounds(what)
            parts.append(f"{one['name']}{self.arguments(one['args'])}{meant}")
        return f"<{', '.join(parts)}>" if parts else ""

    def argument(self, one: Any) -> str:
        kind, content = kind_of(one)
        if kind == "type":
            return self.type(content)
        if kind == "const":
            return content["expr"]
        return "_" if kind == "infer" else content

    def trait_path(self, one: dict) -> str:
        return self.path(one["id"]) + self.arguments(one["args"])

    def trait(self, one: dict) -> str:
        return self.for_any(one["generic_params"]) + self.trait_path(one["trait"])

    def for_any(self, params: list[dict]) -> str:
        return f"for<{', '.join(param['name'] for param in params)}> " if params else ""

    def bounds(self, bounds: list) -> str:
        parts = []
        for kind, content in map(kind_of, bounds):
            if kind == "trait_bound":
                modifier = {"none": "", "maybe": "?", "maybe_const": "~const "}[content["modifier"]]
                parts.append(modifier + self.trait(content))
            elif kind == "outlives":
                parts.append(content)
            else:
                parts.append(f"use<{', '.join(kind_of(one)[1] for one in content)}>")
        return f": {' + '.join(parts)}" if parts else ""

    def generics(self, generics: dict) -> tuple[str, str]:
        """The parameters in angle brackets, and the `where` clause."""
        params, where = [], []
        for param in generics["params"]:
            kind, content = kind_of(param["kind"])
            if kind == "lifetime":
                outlives = f": {' + '.join(content['outlives'])}" if content["outlives"] else ""
                params.append(param["name"] + outlives)
            elif kind == "const":
                params.append(f"const {param['name']}: {self.type(content['type'])}")
            elif not content["is_synthetic"]:
                default = f" = {self.type(content['default'])}" if content["default"] else ""
                params.append(param["name"] + self.bounds(content["bounds"]) + default)
        for kind, content in map(kind_of, generics["where_predicates"]):
            if kind == "bound_predicate":
                text = self.type(content["type"]) + self.bounds(content["bounds"])
                where.append(self.for_any(content["generic_params"]) + text)
            elif kind == "lifetime_predicate":
                where.append(f"{content['lifetime']}: {' + '.join(content['outlives'])}")
            else:
                raise ValueError(f"there is a {kind}, which this script does not know")
        return f"<{', '.join(params)}>" if params else "", f" where {', '.join(where)}" if where else ""


def main() -> int:
    crate = json.load(sys.stdin)
    if (version := crate["format_version"]) != FORMAT:
        message = f"rustdoc wrote format {version} of its JSON; .ci/public_api.py reads format {FORMAT} (Rust {RUST})"
        print(f"error: {message}: use that Rust, or adapt the script", file=sys.stderr)
        return 1
    try:
        lines = Api(crate).lines
    except ValueError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    for _, _, text in sorted((path, text.startswith("impl"), text) for path, text in lines):
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
