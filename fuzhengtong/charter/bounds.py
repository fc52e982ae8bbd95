"""Between which numbers a rule of the charter may lie; read from the types by `load`, never by rules."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Between:
    """A number from `least` to `most`, both allowed; without `most` there is no upper end."""

    least: float
    most: float | None = None

    def hold(self, number: float) -> bool:
        """Say whether the number lies between; infinity and not-a-number never do."""
        return self.least <= number < inf and (self.most is None or number <= self.most)
