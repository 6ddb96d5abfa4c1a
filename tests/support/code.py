"""Server code of a project's task, put where the Application Builder keeps it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

#: a page of the project's own: `/own/page`, `/own/abort/STATUS`, `/own/boom`
OWN_PAGES: Final = """
from werkzeug.exceptions import abort
from werkzeug.wrappers import Response

def on_request(task, request):
    parts = request.path.strip('/').split('/')
    if parts[0] == 'own':
        if parts[1] == 'abort':
            abort(int(parts[2]))
        if parts[1] == 'boom':
            return {}['a key that only the log may show']
        if parts[1] == '500':
            return Response('a page of its own', status=500)
        return Response('%s %s' % (request.method, parts[1]))
"""


def add_task_code(project: Path, code: str) -> Path:
    """Append `code` to the server module of the project's task."""
    with closing(sqlite3.connect(project / "admin.sqlite")) as database, database:
        database.execute(
            "UPDATE SYS_ITEMS SET F_SERVER_MODULE = F_SERVER_MODULE || ? WHERE TYPE_ID = 5", [code]
        )
    return project
