"""What every way out of the building looks like: one message in, accepted or not. Knows no domain word.

`mailroom` sends by it; a text gateway, a mail server and the local sink are classes of this shape. A gateway must
treat `dedup` as the message's own name: the same one sent again is accepted and not delivered twice, because a sender
that died between sending and noting it has to send again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One message on its way: its name, which way it goes, to whom, what about, the words, and when it was handed over.

    The address and the words are kept out of `repr`, so that no log and no traceback shows them.
    """

    dedup: str
    way: str
    to: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    at: datetime


class Undelivered(Exception):  # noqa: N818 - named by what is wrong
    """A message was not accepted, or nobody knows whether it was.

    `permanent` says that the same message will never be accepted (a number that does not exist); otherwise sending it
    again later is right. `code` is the gateway's own word for it, never an address.
    """

    def __init__(self, code: str, *, permanent: bool) -> None:
        super().__init__(code)
        self.code = code
        self.permanent = permanent


class Outward(Protocol):
    """A way out. It keeps its own time limit: ten seconds at most for one message."""

    def send(self, message: Message) -> None:
        """Hand one message over; returns once it is accepted. Raises Undelivered, and nothing else."""
