"""placeholder."""

import attrs

from ..guard import Guard


@attrs.frozen(kw_only=True, eq=False)
class Headers(Guard):
    """Placeholder."""
