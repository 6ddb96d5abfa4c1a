"""The command `jamguard`, also as `python -m jamguard`."""

import sys
from importlib.util import find_spec


def main() -> None:
    """Run the command line."""
    if not find_spec("typer"):  # a site that only imports jamguard does without
        sys.stderr.write('The command needs an extra: pip install "jamguard[cli]"\n')
        sys.exit(2)
    from .cli.app import app  # noqa: PLC0415 - see above

    app(prog_name="jamguard")


if __name__ == "__main__":
    main()
