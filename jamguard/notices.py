"""What an operator should know: every message has a stable id, documented in `docs/notices.md`.

A notice is about a state of the site, so it is logged once and not once a request.
"""

from typing import Final

#: id -> what is the matter and what to do; `{}` is filled in by whoever gives the notice
NOTICES: Final = {
    "JG001": "protecting {app} with {guards} guards, settings from {settings}",
    "JG002": (
        "the site answers to any Host; list its names: "
        '[tool.jamguard.host] allowed = ["www.example.com"]'
    ),
    "JG003": (
        "{peer} looks like a reverse proxy ({sign}) but is not declared, so its clients cannot be "
        'told apart; if it is yours: [tool.jamguard.proxy] trusted = ["{setting}"]'
    ),
    "JG004": (
        "the server gives no client address, so all clients are counted as one; let the proxy "
        'send X-Forwarded-For and declare it: [tool.jamguard.proxy] trusted = ["unix"]'
    ),
    "JG005": (
        "proxy.trusted contains {network}: whoever reaches the server can choose its own address"
    ),
    "JG006": "the page policy only reports: {reasons}",
    "JG007": ("Werkzeug's debugger, should anything switch it on, is disarmed in this process"),
    "JG008": "the development server refused {client}; serve the network with {command}",
    "JG009": "harden() was called again on a hardened application; one call is enough",
    "JG010": "another interactive debugger is active ({key}); every request is refused",
    "JG011": (
        "debugger.insecure-allow is on: whoever reaches the debugger runs code on this machine"
    ),
    "JG012": (
        "rates are counted in each worker process, so several let through a multiple; "
        'one store for all: [tool.jamguard] storage = "shared"; without a '
        'project of Jam.py the URI of one, such as "redis://127.0.0.1:6379"'
    ),
    "JG013": (
        "the proxy {peer} sends no valid {header}, so its clients cannot be told apart; in nginx: "
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
    ),
    "JG014": (
        "the store is away ({error}); until it is back, each {who} counts and remembers on its own"
    ),
    "JG015": (
        "Jam.py is loaded, but {app} does not lead to its application, so nothing that is known "
        "of Jam.py is protected; harden the object that create_application() returns"
    ),
    "JG016": ('mode = "report" is on: {guards} only log what they would refuse, and let it pass'),
    "JG017": (
        "a proxy hides the Host that browsers ask for, so pages of other sites cannot be told from "
        "this site's own where the browser does not say; in nginx: proxy_set_header Host "
        "$http_host; in Apache: ProxyPreserveHost On"
    ),
    "JG018": (
        "Jam.py's users cannot be looked up ({failure}), so sessions of deleted users last until "
        "they expire"
    ),
    "JG019": (
        "this Jam.py reads its session cookies in a way that jamguard does not know, so the guard "
        "session does nothing; please report it"
    ),
    "JG020": (
        "the file that all workers count in cannot be used ({error}), so each worker counts alone; "
        'another folder: [tool.jamguard] storage = "shared:/run/jamguard"'
    ),
    "JG021": (
        "this version of Jam.py puts text into SQL and its source is not known here, so filters of "
        "calls are quoted, and what the project's own code looks for is not; please report it"
    ),
    "JG022": (
        "this store counts for all machines and remembers nothing, so bans, lock-outs and "
        "log-outs stay on the machine where they were made; Redis and Valkey keep them for all"
    ),
    "JG023": "the store is back",
    "JG024": (
        "the file that all workers count in, {file}, was torn or none of jamguard's, and is made "
        "afresh: nothing is counted, locked or banned yet"
    ),
    "JG025": (
        "many logins fail that come from {peer}; it may stand for many people, so it is not locked "
        "out; if it is a reverse proxy: [tool.jamguard.proxy] trusted"
    ),
}

#: notices that are no cause for concern
QUIET: Final = frozenset({"JG001", "JG007", "JG023"})
