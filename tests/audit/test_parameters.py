import pickle
from pathlib import Path

import attrs
import pytest
from support.audited import change, found, harden, places
from support.projects import empty_project

from jamguard.audit import look_at
from jamguard.audit.parameters import check


@pytest.mark.parametrize(
    ("assignment", "number"),
    [
        ("F_SAFE_MODE = 0", "JC101"),
        ("F_SAFE_MODE = NULL", "JC101"),
        ("F_DEBUGGING = 1", "JC102"),
        ("F_SECRET_KEY = NULL", "JC103"),
        ("F_SECRET_KEY = 'nineteen characters'", "JC103"),
        ("F_TIMEOUT = 0", "JC105"),
        ("F_TIMEOUT = NULL", "JC105"),
        ("F_TIMEOUT = 86401", "JC106"),
        ("F_IGNORE_CHANGE_IP = NULL", "JC107"),
        ("F_DELETE_REPORTS_AFTER = 0", "JC109"),
        ("F_MAINTENANCE = 1", "JC110"),
        ("F_UPLOAD_FILE_EXT = '.txt, .HTML'", "JC115"),
    ],
)
def test_a_setting_of_jampy_is_found(project: Path, assignment: str, number: str) -> None:
    change(project, "UPDATE SYS_PARAMS SET F_IGNORE_CHANGE_IP = 0")
    assert number not in found(project)
    change(project, f"UPDATE SYS_PARAMS SET {assignment}")
    (finding,) = found(project)[number]
    column = assignment.partition(" ")[0]
    assert str(finding.where) == f"admin.sqlite SYS_PARAMS.{column}"


def test_a_timeout_of_a_day_is_jampys_own_and_fine(project: Path) -> None:
    change(project, "UPDATE SYS_PARAMS SET F_TIMEOUT = 86400")
    assert not {"JC105", "JC106"} & set(found(project))


def test_sizes_are_limited_by_jampy_or_by_jamguard(project: Path) -> None:
    assert "JC108" in found(project)
    assert "JC108" not in found(project, hardened=True)
    change(project, "UPDATE SYS_PARAMS SET F_MAX_CONTENT_LENGTH = 10")
    assert "JC108" not in found(project)


def test_reports_that_lie_there_are_counted(project: Path) -> None:
    change(project, "UPDATE SYS_PARAMS SET F_DELETE_REPORTS_AFTER = 0")
    (project / "static" / "reports" / "custlist.ods").touch()
    assert places(project, "JC109")[0][1] == "1 in static/reports now"


def test_a_key_that_everybody_has_is_found(project: Path, tmp_path: Path) -> None:
    package = empty_project(tmp_path / "jam" / "project")
    key = "a key of 28 characters, say."
    for folder in (project, package):
        change(folder, "UPDATE SYS_PARAMS SET F_SECRET_KEY = ?", key)

    def numbers(jam: Path | None) -> set[str]:
        return {one.id for one in check(attrs.evolve(look_at(project), package=jam))}

    assert "JC104" in numbers(package.parent)
    assert "JC104" not in numbers(tmp_path / "gone")
    assert "JC104" not in numbers(None)


def test_a_connection_to_the_database_is_looked_at(project: Path) -> None:
    assert not {"JC116", "JC117"} & set(found(project))
    change(project, "UPDATE SYS_TASKS SET F_LOGIN = 'Postgres', F_PASSWORD = 'a secret'")
    assert places(project, "JC116") == [("admin.sqlite SYS_TASKS.F_LOGIN", "Postgres")]
    assert places(project, "JC117") == [("admin.sqlite SYS_TASKS.F_PASSWORD", "")]


class Planted:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("loaded",)


def test_settings_of_an_item_that_run_code_are_found(project: Path) -> None:
    usual = pickle.dumps({"view": [[1, True]], "edit": [], "order": []}, protocol=0).decode()
    for info in (usual, "no pickle at all", "S'cut off"):
        change(project, "UPDATE SYS_ITEMS SET F_INFO = ? WHERE ID = 6", info)
        assert "JC118" not in found(project), info
    change(
        project,
        "UPDATE SYS_ITEMS SET F_INFO = ? WHERE ID = 6",
        pickle.dumps(Planted(), protocol=0).decode(),
    )
    assert places(project, "JC118") == [("admin.sqlite SYS_ITEMS.F_INFO of customers", "")]


def test_a_project_that_is_in_order_has_nothing_worse_than_remarks(project: Path) -> None:
    (project / "jamguard.toml").write_text('[tool.jamguard.host]\nallowed = ["shop.lan"]\n')
    findings = found(harden(project))
    # JC408: where root runs the tests
    assert set(findings) - {"JC408"} == {"JC107", "JC204", "JC205", "JC207", "JC301"}
