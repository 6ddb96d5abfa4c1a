from pathlib import Path

import pytest
from support.audited import change, found, harden, places

DOC = "admin.sqlite SYS_FIELDS customers.doc"


def accept(project: Path, types: str | None) -> Path:
    return change(project, "UPDATE SYS_FIELDS SET F_FILE_ACCEPT = ? WHERE ID = 19", types)


def test_a_field_that_takes_everything_is_found(project: Path) -> None:
    assert places(project, "JC111") == [(DOC, "")]
    assert "JC111" in found(accept(project, None))
    assert "JC111" not in found(accept(project, ".pdf"))
    assert "JC112" not in found(project)


@pytest.mark.parametrize(
    ("types", "active"),
    [(".pdf, .HTML", ".html"), (".svg,.js", ".svg, .js"), ("image/*", "image/*")],
)
def test_a_field_that_takes_what_browsers_run_is_found(
    project: Path, types: str, active: str
) -> None:
    assert places(accept(project, types), "JC112") == [(DOC, active)]


def test_uploads_are_safe_behind_jamguard(project: Path) -> None:
    change(project, "UPDATE SYS_PARAMS SET F_UPLOAD_FILE_EXT = '.svg'")
    uploads = {"JC111", "JC113", "JC115"}
    assert uploads <= set(found(project))
    assert not uploads & set(found(harden(project)))
    (project / "jamguard.toml").write_text("[tool.jamguard.headers]\nenabled = false\n")
    assert uploads <= set(found(project))


def test_a_field_that_is_shown_as_html_is_found(project: Path) -> None:
    assert "JC114" not in found(project)
    change(project, "UPDATE SYS_FIELDS SET F_DO_NOT_SANITIZE = 1 WHERE ID = 15")
    assert places(project, "JC114") == [("admin.sqlite SYS_FIELDS customers.name", "")]


def test_fields_of_what_is_deleted_do_not_count(project: Path) -> None:
    change(project, "UPDATE SYS_ITEMS SET DELETED = 1 WHERE ID = 6")
    assert not {"JC111", "JC113"} & set(found(project))
