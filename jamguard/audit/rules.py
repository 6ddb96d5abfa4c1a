"""Every rule of the audit, by its id. `docs/how-to/check.md` explains each.

Hundreds: 1 what Jam.py's own database says, 2 users and roles, 3 the project's code, 4 its
files, 5 how it is deployed, 6 jamguard's settings.
"""

from typing import Final

from .findings import Level, Rule

ERROR, WARNING, INFO = Level.ERROR, Level.WARNING, Level.INFO

RULES: Final = {
    "JC100": Rule(
        ERROR,
        "Jam.py's database of users, settings and code cannot be read.",
        "Name the project's folder. If it is locked, try again; if damaged, restore a backup.",
    ),
    "JC101": Rule(
        ERROR,
        "Safe mode is off: nobody has to log in, not even to change the application.",
        "In the Application Builder: Project, Parameters, Safe mode.",
    ),
    "JC102": Rule(
        WARNING,
        "Debugging is on: errors of the application reach visitors as they are.",
        "In the Application Builder: Project, Parameters, Debugging.",
    ),
    "JC103": Rule(
        ERROR,
        "The key that signs sessions is missing or short: who guesses it is anybody he likes.",
        "Put 32 random bytes in base64 into F_SECRET_KEY, and restart the server.",
    ),
    "JC104": Rule(
        ERROR,
        "The key that signs sessions is the one of Jam.py's package, which everybody has.",
        "Put 32 random bytes in base64 into F_SECRET_KEY, and restart the server.",
    ),
    "JC105": Rule(
        WARNING,
        "Sessions never end: a copied cookie is good for ever.",
        "Set Session timeout in the builder's Parameters, or [tool.jamguard.session] idle.",
    ),
    "JC106": Rule(
        INFO,
        "Sessions that nobody uses last longer than a day.",
        "Lower Session timeout in the builder's Parameters, or set [tool.jamguard.session] idle.",
    ),
    "JC107": Rule(
        INFO,
        "A session counts from any address: a copied cookie works everywhere.",
        "If your users keep their addresses, untick Session ignore change ip in the Parameters.",
    ),
    "JC108": Rule(
        WARNING,
        "A request may be as large as it likes, and fill the server's memory.",
        "Set Max content length (10 MB) in the builder's Parameters, or harden the application.",
    ),
    "JC109": Rule(
        INFO,
        "Printed reports are kept for ever.",
        "Set Delete reports after (1 to 24 hours) in the builder's Parameters.",
    ),
    "JC110": Rule(
        INFO,
        "Maintenance mode is on: users are shown a notice instead of the application.",
        "If no import is running, a restart of the server switches it off.",
    ),
    "JC111": Rule(
        WARNING,
        "A field takes files of every type: an uploaded page runs its scripts as the site's own.",
        "Set the types that the field accepts, or harden the application.",
    ),
    "JC112": Rule(
        WARNING,
        "A field takes files that a browser runs as a part of the site.",
        "Take these types off the list that the field accepts, or harden the application.",
    ),
    "JC113": Rule(
        INFO,
        "An image field takes SVG pictures, which can contain scripts.",
        "Harden the application: then no upload runs as a part of the site.",
    ),
    "JC114": Rule(
        WARNING,
        "What users type into this field is shown as HTML, scripts included.",
        "Untick Do not sanitize, unless only people you trust can write to it.",
    ),
    "JC115": Rule(
        WARNING,
        "Uploads outside of fields may be files that a browser runs as a part of the site.",
        "Take these types off Upload file extensions in the Parameters, or harden the application.",
    ),
    "JC116": Rule(
        WARNING,
        "The application uses its database as a user who may do everything there.",
        "Give it a user of its own, with rights to its own tables.",
    ),
    "JC117": Rule(
        INFO,
        "The database's password stands in clear in admin.sqlite, and in every copy of it.",
        "Treat copies of that file as passwords; let the database take no one but the server.",
    ),
    "JC118": Rule(
        ERROR,
        "An item's stored settings would run code when Jam.py loads them; Jam.py writes none such.",
        "Treat the machine as broken into: find out who wrote it, and restore an older backup.",
    ),
    "JC201": Rule(
        ERROR,
        "A password is one that everybody tries first.",
        "In the Application Builder: Users; give this user another password.",
    ),
    "JC202": Rule(
        WARNING,
        "A password is short or common enough to be guessed.",
        "In the Application Builder: Users; give this user a longer password.",
    ),
    "JC203": Rule(
        WARNING,
        "Two users have one login name: the password decides which of them is in.",
        "In the Application Builder: Users; rename one of them.",
    ),
    "JC204": Rule(
        INFO,
        "Passwords are stored as they are typed, and so in every copy of admin.sqlite.",
        "Guard copies like passwords; an own on_login can check hashes (task.check_password_hash).",
    ),
    "JC205": Rule(
        INFO,
        "An administrator is called admin, which is half of what has to be guessed.",
        "In the Application Builder: Users; choose another login name.",
    ),
    "JC206": Rule(
        INFO,
        "A user has no role: no table can be seen, but functions of the server can be called.",
        "Give the user a role, or remove the user.",
    ),
    "JC207": Rule(
        INFO,
        "Users with this role may do everything with every table.",
        "In the Application Builder: Roles; leave only what their work needs.",
    ),
    "JC301": Rule(
        INFO,
        "Every user may call this function with any arguments: Jam.py asks for no role.",
        "Check in it who asks (task.session) and what is given, or begin its name with _.",
    ),
    "JC302": Rule(
        WARNING,
        "A function imported into a server module can be called by every user.",
        "Import the module instead (import x, then x.f()), or harden the application.",
    ),
    "JC303": Rule(
        WARNING,
        "SQL is put together out of values instead of binding them.",
        "Write ? or %s where the value goes, and give the values as parameters.",
    ),
    "JC304": Rule(
        WARNING,
        "Data is run as code.",
        "Use json, ast.literal_eval or a table of functions; never do this with what users send.",
    ),
    "JC305": Rule(
        WARNING,
        "A program is started with arguments that are worked out.",
        "Give a list and no shell, and nothing of it from users unless checked against a list.",
    ),
    "JC306": Rule(
        INFO,
        "/ext answers everybody: Jam.py asks for no login there.",
        "Check a key or a signature first thing in on_ext_request.",
    ),
    "JC307": Rule(
        WARNING,
        "This code is not valid for this Python, so it was not looked at.",
        "Mend it; Jam.py cannot load it either.",
    ),
    "JC401": Rule(
        WARNING,
        "Every user of this machine may change this, and so what the site does.",
        "chmod o-w; the files belong to the user that the server runs as.",
    ),
    "JC402": Rule(
        WARNING,
        "Every user of this machine may read the passwords or keys in this file.",
        "chmod o-rwx; the files belong to the user that the server runs as.",
    ),
    "JC403": Rule(
        INFO,
        "A copy or an archive lies in the project: as secret as the original, and forgotten.",
        "Remove it, or move it out of the project.",
    ),
    "JC404": Rule(
        WARNING,
        "Everybody can fetch this without a login: static is public.",
        "Remove it, or move it out of static.",
    ),
    "JC405": Rule(
        WARNING,
        "An export, which may be the whole project with its code, can be fetched without a login.",
        "Remove it once it is downloaded, or harden the application.",
    ),
    "JC406": Rule(
        ERROR,
        "At the next start this file replaces admin.sqlite, with all users and all code.",
        "If no import of yours is waiting, move it away before anything starts.",
    ),
    "JC407": Rule(
        INFO,
        "At the next start Jam.py imports this into the project.",
        "If you have not put it there, move it away before anything starts.",
    ),
    "JC408": Rule(
        WARNING,
        "Only root can write to the database, so the server has to run as root.",
        "Make a user for the site: chown -R that-user DIR, and run the server as that user.",
    ),
    "JC409": Rule(
        WARNING,
        "A page runs a script of another site, whatever that site makes of it.",
        'Keep a copy below static, or add integrity="sha384-..." and crossorigin="anonymous".',
    ),
    "JC410": Rule(
        INFO,
        "A page loads its fonts from Google, which learns the address of every visitor.",
        "Choose a theme without, or keep the fonts below static.",
    ),
    "JC501": Rule(
        ERROR,
        "The application is served without jamguard.",
        "Below it: application = jamguard.harden(application)",
    ),
    "JC502": Rule(
        ERROR,
        "Something is hardened, but what is served is not: jamguard protects nothing.",
        "Give the hardened application the name that is served.",
    ),
    "JC503": Rule(
        WARNING,
        "Whoever starts this file opens the site to the network, with a debugger and no guard.",
        "Before run(): application = jamguard.harden(application)",
    ),
    "JC504": Rule(
        INFO,
        "What servers load is made by no file here, so it may be hardened or not.",
        "Name the project's folder; if a file elsewhere hardens it, say --hardened.",
    ),
    "JC505": Rule(
        ERROR,
        "The Application Builder, which changes code and reads all data, answers everybody.",
        "Harden the application: then the builder answers the networks that you name.",
    ),
    "JC506": Rule(
        ERROR,
        "Jam.py v7 hands out every file of the project to everybody, without a login.",
        "Harden the application: no setting of Jam.py closes this.",
    ),
    "JC507": Rule(
        WARNING,
        "The site is started with server.py: a server for development, with a debugger.",
        "Start wsgi.py with gunicorn, or with waitress on Windows.",
    ),
    "JC508": Rule(
        WARNING,
        "Jam.py v5 brings its own libraries of 2020, which get no security fixes.",
        "Move to jam.py-v7; until then never run it without jamguard.",
    ),
    "JC509": Rule(
        INFO,
        "This Jam.py is older than the one that jamguard is tested with.",
        "pip install --upgrade jam.py-v7",
    ),
    "JC510": Rule(
        WARNING,
        "Two versions of Jam.py are installed over each other, and files of both are in use.",
        "Make a new environment with one of them.",
    ),
    "JC511": Rule(
        WARNING,
        "This Python gets no security fixes any more.",
        "Install a newer Python, and make a new environment with it.",
    ),
    "JC512": Rule(
        WARNING,
        "The clock is behind: sessions, lock-outs and certificates end at the wrong time.",
        "Let the machine take its time from the network (timedatectl set-ntp true).",
    ),
    "JC513": Rule(
        WARNING,
        "An installed package has a flaw that is publicly known.",
        "pip install --upgrade the package, and restart the server.",
    ),
    "JC514": Rule(
        INFO,
        "pip-audit could not say whether installed packages have known flaws.",
        "Run pip-audit by hand, or --no-advisories where there is no network.",
    ),
    "JC601": Rule(
        ERROR,
        "jamguard's settings cannot be used, and the site does not start with them.",
        "Mend what is named; jamguard config show prints the rest.",
    ),
    "JC602": Rule(
        WARNING,
        "The site answers to any name, so links and caches can be poisoned with a forged one.",
        'List its names: [tool.jamguard.host] allowed = ["www.example.com"]',
    ),
    "JC603": Rule(
        WARNING,
        "Several workers count on their own: rates and lock-outs let through a multiple.",
        '[tool.jamguard] storage = "shared"',
    ),
    "JC604": Rule(
        WARNING,
        "A reverse proxy is in front but not declared: all its clients look like one.",
        '[tool.jamguard.proxy] trusted = ["127.0.0.1"], or its address, or "unix"',
    ),
    "JC605": Rule(
        ERROR,
        "Everybody is believed as a proxy, and chooses the address that is counted and banned.",
        "List the addresses of your proxy in [tool.jamguard.proxy] trusted.",
    ),
    "JC606": Rule(
        WARNING,
        "A setting opens what a guard closes.",
        "Take it out, as soon as you can do without.",
    ),
    "JC607": Rule(
        WARNING,
        "A guard only reports: what it would refuse gets through.",
        'When the log shows no false alarm, take out mode = "report".',
    ),
    "JC608": Rule(
        WARNING,
        "A guard is left out.",
        "Take out enabled = false, or say what it got wrong: report mode is there to see.",
    ),
    "JC609": Rule(
        ERROR,
        "Everybody may open the Application Builder.",
        "List your own networks in [tool.jamguard.builder] allow.",
    ),
    "JC610": Rule(
        WARNING,
        "The settings have a password in them that every user of this machine may read.",
        "chmod o-r the file, or set JAMGUARD_STORAGE in the environment of the server instead.",
    ),
    "JC611": Rule(
        INFO,
        "A function is exposed that the project does not have.",
        "Take it out of [tool.jamguard.api] exposed, or mend its name.",
    ),
    "JC612": Rule(
        INFO,
        "The site answers over http, too: passwords can go over the line unencrypted.",
        "[tool.jamguard.https] redirect = true, or a redirect in the proxy.",
    ),
    "JC613": Rule(
        INFO,
        "The settings are worked out by code, so those that were looked at are others.",
        "Write them into jamguard.toml or pyproject.toml, or give harden() a literal.",
    ),
    "JC614": Rule(
        WARNING,
        "Pages have no content security policy: nothing limits which scripts run.",
        '[tool.jamguard.headers] csp = "report" shows what "auto" would refuse.',
    ),
    "JC615": Rule(
        INFO,
        "http is redirected, but browsers are not told to stay with https.",
        'Take hsts = "0s" out, when https has proved to work: [tool.jamguard.headers] hsts.',
    ),
}
