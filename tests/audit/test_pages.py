from pathlib import Path

import attrs
from support.audited import found, places

from jamguard.audit import look_at
from jamguard.audit.pages import check

PAGE = """<html><head>
<script src="/jam/js/jquery.js"></script>
<script src="https://cdn.example.com/chart.js"></script>
<script src="https://cdn.example.com/checked.js" integrity="sha384-abc"></script>
<!-- <script src="https://cdn.example.com/not-there.js"></script> -->
<script>task.load()</script>
</head></html>
"""


def test_scripts_of_other_sites_are_found(project: Path) -> None:
    assert "JC409" not in found(project)
    (project / "index.html").write_text(PAGE)
    (project / "templates.html").write_text("<script src='//cdn.example.com/t.js'>")
    assert places(project, "JC409") == [
        ("index.html:3", "https://cdn.example.com/chart.js"),
        ("templates.html:1", "//cdn.example.com/t.js"),
    ]


def test_fonts_of_a_theme_are_found(project: Path) -> None:
    assert "JC410" not in found(project)
    page = (project / "index.html").read_text()
    (project / "index.html").write_text(page.replace("bootstrap.css", "bootstrap-flatly.css"))
    assert places(project, "JC410") == [("index.html", "https://fonts.googleapis.com")]
    # without Jam.py its themes cannot be read
    assert not list(check(attrs.evolve(look_at(project), package=None)))
