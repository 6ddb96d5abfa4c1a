"""How each server is started on a project's `wsgi.py`: its command line, or its configuration."""

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, get_args

from support import need

Kind = Literal[
    "gunicorn",  # with threads
    "gunicorn-sync",
    "gunicorn-gevent",
    "uwsgi",  # `--http-socket`: the workers speak HTTP
    "uwsgi-http",  # `--http`: a process in front of them does
    "waitress",
    "cheroot",
    "granian",
    "mod_wsgi",  # Debian's Apache
    "werkzeug",  # the project's own server.py
    "nginx-tcp",  # in front of gunicorn
    "nginx-unix",
]
KINDS: Final[Sequence[Kind]] = get_args(Kind)

#: modules that are installed by pip, where the tests do not need them anyway
MODULES: Final = {"gunicorn-gevent": "gevent", "cheroot": "cheroot", "granian": "granian"}
LOCAL: Final = "127.0.0.1"
APPLICATION: Final = "wsgi:application"
MODULES_OF_APACHE: Final = Path("/usr/lib/apache2/modules")

NGINX_PAGE: Final = Path(__file__).parents[2] / "docs" / "how-to" / "nginx.md"

APACHE: Final = """\
ServerRoot {folder}
ServerName localhost
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule reqtimeout_module {modules}/mod_reqtimeout.so
LoadModule wsgi_module {modules}/mod_wsgi.so
Listen {local}:{port}
PidFile {run}/pid
DefaultRuntimeDir {run}
Mutex file:{run}
ErrorLog /proc/self/fd/2
WSGISocketPrefix {run}/wsgi
WSGIDaemonProcess site python-home={home} home={folder} processes={workers} threads={threads}
WSGIProcessGroup site
WSGIApplicationGroup %{{GLOBAL}}
WSGIScriptAlias / {folder}/wsgi.py
<Directory {folder}>
    Require all granted
</Directory>
{more}
"""
#: Apache and mod_wsgi refuse to work for root. So root becomes nobody, who may read its files.
NOBODY: Final = (
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
    *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
)


def command_for(
    kind: Kind,
    folder: Path,
    port: int,
    *,
    args: Sequence[str] = (),
    workers: int = 1,
    threads: int = 4,
    python: str | Path = sys.executable,
) -> list[str]:
    """Return what serves the project in `folder`; the test is skipped without that server.

    A server whose workers have no threads gets `threads` workers in place of each of them.
    `args` are more arguments: of Apache, more lines of its configuration.
    """
    if kind in MODULES and not importlib.util.find_spec(MODULES[kind]):
        need.missing(MODULES[kind])
    address = f"{LOCAL}:{port}"
    if kind.startswith("gunicorn"):
        sync = kind == "gunicorn-sync"
        return [
            *(str(python), "-m", "gunicorn", APPLICATION, "--bind", address),
            "--no-control-socket",  # one in the home directory, for all of them
            *("--worker-class", {"gunicorn": "gthread"}.get(kind, kind.partition("-")[2])),
            *("--workers", str(workers * threads if sync else workers)),
            *("--threads", str(1 if sync else threads), "--graceful-timeout", "2", *args),
        ]
    if kind.startswith("uwsgi"):
        door = "--http" if kind == "uwsgi-http" else "--http-socket"
        return [
            *(need.path("uwsgi"), door, address, "--master", "--need-app", "--home", sys.prefix),
            *("--wsgi-file", "wsgi.py", "--enable-threads", "--threads", str(threads)),
            *("--processes", str(workers), "--disable-logging", *args),
        ]
    if kind == "mod_wsgi":
        config = _apache(folder, port, workers, threads, "\n".join(args))
        command = [need.path("apache2"), "-f", str(config), "-DFOREGROUND"]
        return [*NOBODY, *command] if os.geteuid() == 0 else command
    return {
        "waitress": [
            *(str(python), "-m", "waitress", f"--listen={address}", f"--threads={threads}"),
            *(*args, APPLICATION),
        ],
        "cheroot": [
            *(str(python), "-m", "cheroot", APPLICATION, "--bind", address),
            *("--threads", str(threads), *args),
        ],
        "granian": [
            *(str(python), "-m", "granian", "--interface", "wsgi", "--host", LOCAL),
            *("--port", str(port), "--workers", str(workers)),
            *("--blocking-threads", str(threads), *args, APPLICATION),
        ],
        "werkzeug": [str(python), "server.py", str(port), *args],
    }[kind]


def _apache(folder: Path, port: int, workers: int, threads: int, more: str) -> Path:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if not (MODULES_OF_APACHE / f"mod_wsgi.so-{version}").exists():
        need.missing(f"mod_wsgi for Python {version}")
    run = folder.parent / f"{folder.name}-apache"
    run.mkdir(exist_ok=True)
    run.chmod(0o777)  # for nobody
    config = run / "httpd.conf"
    config.write_text(
        APACHE.format(
            folder=folder,
            local=LOCAL,
            port=port,
            run=run,
            modules=MODULES_OF_APACHE,
            home=sys.prefix,
            workers=workers,
            threads=threads,
            more=more,
        ),
        "utf-8",
    )
    return config


def documented_nginx() -> str:
    """Return what the documentation tells to write into nginx' `server`, for `run_nginx`."""
    page = NGINX_PAGE.read_text("utf-8")
    return page.partition("```nginx\n")[2].partition("```")[0].replace("127.0.0.1:8000", "UPSTREAM")
