"""What a person may be told: expected refusals, apart from every bug.

Actions and rules raise these; the web turns the code into a sentence of the person's language (`texts/*.toml`,
key `refusal.<code>`). Anything else that rises is a bug and is never caught to be shown.
"""

from __future__ import annotations

from typing import ClassVar


class Refused(Exception):
    """Say no to an expected situation, with a stable code and the facts of the sentence."""

    code: ClassVar[str] = "refused"

    def __init__(self, **params: object) -> None:
        super().__init__(self.code)
        self.params = params

    def __str__(self) -> str:
        facts = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        return f"{self.code}({facts})"


class AlreadyDone(Refused):
    """Refuse to do again what has been done."""

    code = "already_done"
