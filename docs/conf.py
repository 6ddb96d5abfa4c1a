"""Sphinx: `nox -s docs` builds the pages, and any broken reference fails."""

import jamguard

project = "jamguard"
author = "the jamguard authors"
copyright = author
version = release = jamguard.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
# docstrings are Markdown: a word in backticks is code, not a reference
default_role = "literal"
# types in signatures that have no page: the standard library's, and the inside of jamguard
nitpick_ignore_regex = [(r"py:.*", r"(?!jamguard\.(?:[A-Z]\w*|harden)$).*")]

html_theme = "furo"
html_title = f"jamguard {release}"
