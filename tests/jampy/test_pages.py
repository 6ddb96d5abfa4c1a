"""Which files a page is made of, and when they are read again."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from jamguard.jampy.content import Content, digest
from jamguard.jampy.pages import LARGEST, LOOK_AGAIN, Pages
from jamguard.jampy.routes import BUILDER, BUILDER_LOGIN, LOGIN, PAGE


def jam() -> Path:
    """Where Jam.py is installed; it is not imported."""
    spec = find_spec("jam")
    assert spec
    assert spec.origin
    return Path(spec.origin).parent


class Clock:
    now = 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("jamguard.jampy.pages.monotonic", lambda: clock.now)
    return clock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project as Jam.py lays it out."""
    shutil.copytree(jam() / "project", tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def pages(folder: Path) -> Pages:
    return Pages(folder, jam())


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, "utf-8")
    if path.stat().st_mtime_ns == before:  # a fast machine, a coarse clock
        os.utime(path, ns=(before + 1, before + 1))


def scripts(content: Content) -> list[str]:
    return list(content.scripts)


@pytest.mark.parametrize(
    ("route", "hashes"),
    [(PAGE, (1, 0)), (LOGIN, (1, 1)), (BUILDER, (3, 0)), (BUILDER_LOGIN, (1, 1))],
    ids=["application", "log-in", "builder", "builder's log-in"],
)
def test_jams_own_pages_ask_for_a_few_hashes_and_nothing_else(
    pages: Pages, route: object, hashes: tuple[int, int]
) -> None:
    content = pages.content(route)  # type: ignore[arg-type] # a table of routes
    assert (len(content.scripts), len(content.styles)) == hashes
    assert (content.objections([]), content.origins, content.styles_itself) == ([], {}, False)


def test_only_the_builder_makes_code_out_of_text(pages: Pages) -> None:
    assert [pages.content(route).evaluates for route in (PAGE, LOGIN, BUILDER, BUILDER_LOGIN)] == [
        False,
        False,
        True,
        False,
    ]


def test_a_builder_that_is_mended_makes_no_code_out_of_text(folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "jam/html/builder.html", "<script>a</script>")
    write(tmp_path / "jam/js/admin.js", "setTimeout(function() {}, 100)")
    content = Pages(folder, tmp_path / "jam").content(BUILDER)
    assert (scripts(content), content.evaluates) == ([digest("a")], False)


@pytest.mark.parametrize("theme", sorted(path.name for path in (jam() / "css/bs5").glob("*.css")))
def test_every_theme_gets_its_fonts(folder: Path, pages: Pages, theme: str) -> None:
    index = folder / "index.html"
    write(index, index.read_text("utf-8").replace("bootstrap.css", theme))
    foreign = {"https://fonts.googleapis.com", "https://fonts.gstatic.com"}
    imports = "fonts.googleapis.com" in (jam() / "css/bs5" / theme).read_text("utf-8")
    content = pages.content(PAGE)
    assert content.origins.get("font-src", set()) == (foreign if imports else set())
    assert content.origins.get("style-src", set()) <= foreign
    assert content.objections([]) == []


def test_a_page_is_read_again_when_its_file_changes(folder: Path, pages: Pages) -> None:
    before = pages.content(PAGE)
    assert pages.content(PAGE) is before
    write(folder / "index.html", "<script>a</script>")
    assert scripts(pages.content(PAGE)) == [digest("a")]
    (folder / "index.html").unlink()
    assert scripts(pages.content(PAGE)) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("templates.html", '<a onclick="x()">'),
        ("js/more.js", "eval(a)"),
        ("css/project.css", "@import 'https://c.example.com/x.css'"),
        ("static/lib.js", "d.createElement('style')"),
    ],
)
def test_what_a_page_loads_is_looked_at_again_after_a_while(
    folder: Path, pages: Pages, clock: Clock, name: str, text: str
) -> None:
    write(folder / "js/demo.js", "go()")
    write(folder / "static/lib.js", "go()")
    write(
        folder / "index.html",
        '<link rel=stylesheet href="css/project.css"><script src="/static/lib.js?v=1"></script>',
    )
    before = pages.content(PAGE)
    write(folder / name, text)
    clock.now += LOOK_AGAIN - 0.1
    assert pages.content(PAGE) is before
    clock.now += 0.2
    after = pages.content(PAGE)
    assert (after.reasons, after.origins, after.styles_itself) != ([], {}, False)
    clock.now += LOOK_AGAIN + 1
    assert pages.content(PAGE) is after


def test_the_projects_own_log_in_page_comes_first(folder: Path, pages: Pages) -> None:
    assert len(pages.content(LOGIN).styles) == 1
    write(folder / "login.html", "<script>a</script>")
    assert scripts(pages.content(LOGIN)) == [digest("a")]
    (folder / "login.html").unlink()
    assert len(pages.content(LOGIN).styles) == 1


def test_the_projects_own_builder_page_comes_first(folder: Path, pages: Pages) -> None:
    write(folder / "builder.html", "<script>a</script>")
    assert scripts(pages.content(BUILDER)) == [digest("a")]


def test_a_page_of_v5_is_found_where_v5_keeps_it(folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "jam/builder.html", "<script>v5</script>")
    assert scripts(Pages(folder, tmp_path / "jam").content(BUILDER)) == [digest("v5")]


def test_a_page_that_is_rendered_can_have_no_jinja_in_a_script(folder: Path, pages: Pages) -> None:
    for name in ("index.html", "login.html"):
        write(folder / name, "<script>{{ a }}</script>")
    assert pages.content(PAGE).reasons == []  # it is served as it is
    assert len(pages.content(LOGIN).reasons) == 1


def test_the_log_in_page_does_not_answer_for_the_client_modules(folder: Path, pages: Pages) -> None:
    write(folder / "js/demo.js", "eval(a)")
    assert pages.content(LOGIN).reasons == []
    assert len(pages.content(PAGE).reasons) == 1


def test_style_sheets_that_import_each_other_are_read_once(folder: Path, pages: Pages) -> None:
    write(folder / "index.html", '<link rel=stylesheet href="css/project.css">')
    write(folder / "css/project.css", "@import 'more/a.css'; @import '/css/project.css'")
    write(folder / "css/more/a.css", "@import 'b.css'")
    write(folder / "css/more/b.css", "a{background:url(//c.example.com/i.png)} @import 'a.css'")
    assert pages.content(PAGE).origins["img-src"] == {"c.example.com"}


@pytest.mark.parametrize(
    "url", ["../secret.css", "jam/../../secret.css", "c:/x.css", "", "?", "no-such-file.css", "css"]
)
def test_no_file_elsewhere_is_read(folder: Path, pages: Pages, url: str) -> None:
    write(folder.parent / "secret.css", "@import 'https://c.example.com/'")
    write(folder / "index.html", f'<link rel=stylesheet href="{url}"><script src="{url}"></script>')
    assert pages.content(PAGE).origins == {}


def test_jams_copy_of_a_module_without_spaces_is_not_read(folder: Path, pages: Pages) -> None:
    write(folder / "js/demo.min.js", "eval(a)")
    assert pages.content(PAGE).reasons == []


def test_jams_own_scripts_are_not_judged(folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "jam/js/jam.js", "eval(a)")
    write(folder / "index.html", '<script src="jam/js/jam.js"></script>')
    assert not Pages(folder, tmp_path / "jam").content(PAGE).evaluates


def test_odd_files_do_no_harm(folder: Path, pages: Pages) -> None:
    write(folder / "templates.html", "x" * (LARGEST + 10) + '<a onclick="x()">')
    (folder / "js").mkdir(exist_ok=True)
    (folder / "js/demo.js").write_bytes(b"\xff\xfe\x00 go()")
    (folder / "js/folder.js").mkdir()
    (folder / "index.html").write_bytes(b"\xef\xbb\xbf<script>\xe9</script>")
    content = pages.content(PAGE)
    assert (scripts(content), content.reasons) == ([digest("\ufffd")], [])
