"""Sphinx: `nox -s docs` builds the pages, and any broken reference fails."""

import jamguard

project = "jamguard"
author = "the jamguard authors"
copyright = author
version = release = jamguard.__version__

source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_preserve_defaults = True
nitpick_ignore_regex = [
    # types of the standard library and of attrs, named in signatures
    (r"py:.*", r"(?!jamguard).*"),
    (r"py:.*", r"jamguard\..*\b(Application|StartResponse|Mode|Config|Headers|Site|Route)\b"),
]

html_theme = "furo"
html_title = f"jamguard {release}"
