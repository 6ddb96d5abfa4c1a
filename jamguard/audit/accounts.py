"""Users, their passwords and roles. A password is looked at, and never told."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from .admin import DATABASE, Admin, Row, text
from .findings import Finding, Place
from .source import functions, parse
from .target import Target

#: the password that a new project has
FIRST: Final = "111"
#: fewer characters can be found out by trying (NIST SP 800-63B section 5.1.1.2)
SHORTEST: Final = 8
#: the first that anybody tries
COMMON: Final = frozenset(
    {
        *("password", "passw0rd", "password1", "password123", "12345678", "123456789"),
        *("1234567890", "qwertyui", "qwertyuiop", "qwerty123", "1q2w3e4r", "11111111"),
        *("00000000", "abcd1234", "iloveyou", "letmein1", "admin123", "administrator"),
        *("changeme", "welcome1", "sunshine", "princess", "football", "baseball"),
    }
)
#: what functions that hash passwords write
HASHED: Final = re.compile(r"(?:pbkdf2|scrypt|argon2|bcrypt|\$2[aby]\$|\$argon2|\$[156]\$).*")
RIGHTS: Final = ("F_CAN_VIEW", "F_CAN_CREATE", "F_CAN_EDIT", "F_CAN_DELETE")


def check(target: Target) -> Iterator[Finding]:
    """Look at who may log in."""
    if target.admin is None:
        return
    yield from _users(target.admin)
    yield from _roles(target.admin)


def _users(admin: Admin) -> Iterator[Finding]:
    tree = parse(admin.task_code)
    own_login = tree and any(one.name == "on_login" for one in functions(tree))
    roles = {role["ID"] for role in admin.tables["SYS_ROLES"]}
    for user in admin.users:
        # a project's own on_login may keep passwords anywhere; the builder's login never does
        if user["F_ADMIN"] or not own_login:
            yield from _password(user)
        if user["F_ADMIN"] and text(user, "F_LOGIN") == "admin":
            yield Finding("JC205", _at(user, "F_LOGIN"))
        if not user["F_ADMIN"] and user["F_ROLE"] not in roles:
            yield Finding("JC206", _at(user, "F_ROLE"))
    clear = [u for u in admin.users if (p := text(u, "F_PASSWORD")) and not HASHED.match(p)]
    if clear:
        where = Place(DATABASE, part="SYS_USERS.F_PASSWORD")
        yield Finding("JC204", where, f"of {len(clear)} of {len(admin.users)} users")
    logins = Counter(text(user, "F_LOGIN").strip() for user in admin.users)
    for user in admin.users:
        login = text(user, "F_LOGIN").strip()
        if logins[login] > 1:
            yield Finding("JC203", _at(user, "F_LOGIN"))


def _password(user: Row) -> Iterator[Finding]:
    password, login = user["F_PASSWORD"], text(user, "F_LOGIN")
    if password is None:
        return  # nobody can type that
    where, password = _at(user, "F_PASSWORD"), str(password)
    if password in ("", FIRST):
        which = "the one of every new project" if password else "empty"
        yield Finding("JC201", where, f"it is {which}")
    elif password.lower() == login.lower():
        yield Finding("JC201", where, "it is the login name")
    elif len(password) < SHORTEST:
        yield Finding("JC202", where, f"it has {len(password)} characters")
    elif password.lower() in COMMON:
        yield Finding("JC202", where, "it is one of those that are tried first")


def _roles(admin: Admin) -> Iterator[Finding]:
    """Find roles of ordinary users that may do everything with every table."""
    tables = {row["ID"] for row in admin.items.values() if row["F_TABLE_NAME"]}
    ordinary = {user["F_ROLE"] for user in admin.users if not user["F_ADMIN"]}
    for role in admin.tables["SYS_ROLES"]:
        given = {
            row["ITEM_ID"]
            for row in admin.tables["SYS_PRIVILEGES"]
            if row["OWNER_REC_ID"] == role["ID"] and all(row[right] for right in RIGHTS)
        }
        if tables and tables <= given and role["ID"] in ordinary:
            where = Place(DATABASE, part=f"SYS_ROLES row {role['ID']}")
            yield Finding("JC207", where, text(role, "F_NAME"))


def _at(user: Row, column: str) -> Place:
    login = text(user, "F_LOGIN") or "without a login"
    return Place(DATABASE, part=f"SYS_USERS.{column} of {login}")
