"""The configuration of Sphinx, which makes the site of the documentation: `.ci/site` runs it.

The pages are those of the repository. `.ci/site` puts `docs` and some other pages into one tree, in which `docs` is the root;
this file adapts the links between them, and adds the table of contents.
"""

import base64
import hashlib
import html
import os
import re
import shutil
from pathlib import Path

from sphinx.application import Sphinx

# The table of contents. A README of a folder is followed by the pages of the folder, in the order in which it links to them.
# Other pages of `docs` are at the end.
CONTENTS = {
    "Start": ["providers/README", "frameworks/README", "migration"],
    "Languages": ["bindings/python/README", "bindings/node/README", "c-api", "examples/README"],
    "Configurations": [
        "dialects/native",
        "dialects/vault",
        "dialects/consul",
        "dialects/grafana",
        "dialects/differences",
        "wire-format",
        "error-codes",
    ],
    "Operation": ["packages", "program", "serve", "lint/README", "keys-over-http", "events", "hostile-clients", "speed"],
    "Sessions": ["sessions", "session-codes"],
    "The project": [
        "CHANGELOG",
        "SECURITY",
        "CONTRIBUTING",
        "ARCHITECTURE",
        "decisions/README",
        "style",
        "tests/conformance/README",
        "tests/conformance/keys/README",
        "tests/faults/README",
    ],
}

project = "libjwtauth"
language = "en"
root_doc = "README"
extensions = ["myst_parser"]
exclude_patterns = ["examples/keys"]
# GitHub gives the headings the same anchors.
myst_heading_anchors = 6
# What GitHub does not know must not change the pages.
myst_disable_syntax = ["myst_block_break", "myst_line_comment", "myst_role", "myst_target"]
highlight_language = "none"
# Some examples are abridged, with an ellipsis.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = "libjwtauth"
html_favicon = "favicon.svg"
html_static_path = ["scroll.js", "style.css"]
html_css_files = ["style.css"]
html_js_files = ["scroll.js"]
html_copy_source = False
html_use_index = False
html_show_sphinx = False
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<=\]\()([^)\s:#]+)(?=[)#])")
PAGE_IN_FOLDER = re.compile(r"\]\(([\w-]+)\.md\)")
SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
STYLE_OF_ELEMENT = re.compile(r'<[a-z]+\b[^>]* style="([^"]*)"')

# What the theme lacks for readers who do not see the page.
ACCESSIBILITY = {
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="Contents">',
    '<th class="head"><p></p></th>': '<td></td>',
    '<div id="search-results"></div>': '<h1>Search</h1><div id="search-results"></div>',
    '<aside class="toc-drawer': '<aside aria-label="On this page" class="toc-drawer',
}


def toctree(pages: list[str], caption: str = "") -> str:
    """Returns a part of the table of contents."""
    return "\n\n```{toctree}\n:hidden:\n" + (f":caption: {caption}\n" if caption else "") + "\n" + "\n".join(pages) + "\n```\n"


def adapt(app: Sphinx, page: str, source: list[str]) -> None:
    """Changes the links of a page for the place that the page has in the tree, and adds its part of the contents."""
    text = source[0]
    here = Path(page).parent
    # Where the page is in the repository. The root README has the same subject as the first page.
    in_docs = (Path(app.confdir).parent / page).with_suffix(".md").exists()
    folder = Path("docs") / here if in_docs else here

    def adapted(match: re.Match[str]) -> str:
        target = Path(os.path.normpath(folder / match[1]))
        target = target.relative_to("docs") if target.parts[:1] == ("docs",) else target
        if (Path(app.srcdir) / target).is_dir():
            target /= "README.md"
        return os.path.relpath(target, here)

    done, changed = 0, ""
    for fence in FENCE.finditer(text):
        changed += LINK.sub(adapted, text[done : fence.start()]) + fence[0]
        done = fence.end()
    changed += LINK.sub(adapted, text[done:])

    if page == root_doc:
        named = {root_doc, *(page for pages in CONTENTS.values() for page in pages)}
        others = sorted(path.stem for path in Path(app.srcdir).glob("*.md") if path.stem not in named)
        for caption, pages in [*CONTENTS.items(), *([("More", others)] if others else [])]:
            changed += toctree(pages, caption)
    elif Path(page).name == "README" and in_docs:
        changed += toctree(list(dict.fromkeys(PAGE_IN_FOLDER.findall(text))))
    source[0] = changed


def allowed(contents: list[str]) -> str:
    """Returns the sources of a content security policy: the site's own files, and these texts in the page."""
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in contents]
    return " ".join(["'self'", *dict.fromkeys(f"'sha256-{digest}'" for digest in digests)])


def finish(app: Sphinx, error: Exception | None) -> None:
    """Labels parts of each page, allows its own scripts and styles and nothing else, and gives each folder an index."""
    if error:
        return
    for page in sorted(Path(app.outdir).rglob("*.html")):
        text = page.read_text(encoding="utf-8")
        for theirs, ours in ACCESSIBILITY.items():
            text = text.replace(theirs, ours)
        styles = STYLE.findall(text) + [html.unescape(style) for style in STYLE_OF_ELEMENT.findall(text)]
        policy = (
            f"default-src 'none'; script-src {allowed(SCRIPT.findall(text))}; style-src 'unsafe-hashes' {allowed(styles)}; "
            "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'"
        )
        meta = f'<head><meta http-equiv="Content-Security-Policy" content="{policy}">'
        page.write_text(text.replace("<head>", meta, 1), encoding="utf-8")
        if page.name == "README.html":
            shutil.copy(page, page.with_name("index.html"))


def setup(app: Sphinx) -> None:
    app.connect("source-read", adapt)
    app.connect("build-finished", finish)
