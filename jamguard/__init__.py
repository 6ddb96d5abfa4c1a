"""jamguard makes a Jam.py application safe to put on a network.

    application = jamguard.harden(application)

puts it behind a set of guards; `[tool.jamguard]` in pyproject.toml holds the settings.
"""

from .config import ConfigError
from .guard import Guard, Refusal, Response
from .harden import harden
from .request import Request
from .shield import Shield

__version__ = "0.1.0"
__all__ = ["ConfigError", "Guard", "Refusal", "Request", "Response", "Shield", "harden"]
