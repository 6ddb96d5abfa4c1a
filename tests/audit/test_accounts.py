from pathlib import Path

import pytest
from support.audited import change, found, harden, places
from support.code import add_task_code

CLERK = "admin.sqlite SYS_USERS.{} of clerk"


def password(project: Path, value: str | None, *, login: str = "clerk") -> Path:
    return change(project, "UPDATE SYS_USERS SET F_PASSWORD = ? WHERE F_LOGIN = ?", value, login)


@pytest.mark.parametrize(
    ("value", "number", "detail"),
    [
        ("111", "JC201", "it is the one of every new project"),
        ("", "JC201", "it is empty"),
        ("CLERK", "JC201", "it is the login name"),
        ("1234567", "JC202", "it has 7 characters"),
        ("Password", "JC202", "it is one of those that are tried first"),
    ],
)
def test_a_password_that_can_be_guessed_is_found(
    project: Path, value: str, number: str, detail: str
) -> None:
    assert not {"JC201", "JC202"} & set(found(project))
    password(project, value)
    assert places(project, number) == [(CLERK.format("F_PASSWORD"), detail)]


@pytest.mark.parametrize("value", ["tea4two!", "12345679", None])
def test_other_passwords_are_not(project: Path, value: str | None) -> None:
    assert not {"JC201", "JC202"} & set(found(password(project, value)))


def test_no_password_is_ever_told(project: Path) -> None:
    password(project, "xyz7")
    findings = [one for group in found(project).values() for one in group]
    assert findings
    assert not any("xyz7" in str(one) or "Passwort" in str(one) for one in findings)


def test_a_project_with_its_own_login_keeps_passwords_where_it_wants(project: Path) -> None:
    password(project, "111")
    password(project, "111", login="admin")
    add_task_code(project, "\ndef on_login(task, form_data, info):\n    return None\n")
    # the builder's login never asks the project
    assert [where for where, _ in places(project, "JC201")] == [
        "admin.sqlite SYS_USERS.F_PASSWORD of admin"
    ]


def test_passwords_in_clear_are_found_and_hashes_are_not(project: Path) -> None:
    assert places(project, "JC204")[0][1] == "of 2 of 2 users"
    hashed = "pbkdf2:sha256:600000$salt$0123456789abcdef"
    change(project, "UPDATE SYS_USERS SET F_PASSWORD = ?", hashed)
    assert "JC204" not in found(project)


def test_two_users_of_one_name_are_found(project: Path) -> None:
    change(project, "UPDATE SYS_USERS SET F_LOGIN = ' admin' WHERE F_LOGIN = 'clerk'")
    assert len(found(project)["JC203"]) == 2


def test_the_administrators_name_is_told_until_it_is_another(project: Path) -> None:
    assert "JC205" in found(project)
    change(project, "UPDATE SYS_USERS SET F_LOGIN = 'mary' WHERE F_LOGIN = 'admin'")
    assert "JC205" not in found(project)
    change(project, "UPDATE SYS_USERS SET F_LOGIN = 'admin' WHERE F_LOGIN = 'clerk'")
    assert "JC205" not in found(project)


def test_a_user_without_a_role_is_found(project: Path) -> None:
    assert "JC206" not in found(project)
    change(project, "UPDATE SYS_USERS SET F_ROLE = 99 WHERE F_LOGIN = 'clerk'")
    assert places(project, "JC206") == [(CLERK.format("F_ROLE"), "")]
    change(project, "UPDATE SYS_USERS SET F_LOGIN = NULL WHERE F_ROLE = 99")
    assert places(project, "JC206")[0][0].endswith("of without a login")


def test_a_role_that_may_do_everything_is_found(project: Path) -> None:
    assert places(project, "JC207") == [("admin.sqlite SYS_ROLES row 2", "clerk")]
    change(project, "UPDATE SYS_PRIVILEGES SET F_CAN_DELETE = 0 WHERE OWNER_REC_ID = 2")
    assert "JC207" not in found(harden(project))
