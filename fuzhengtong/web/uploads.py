"""How the files of a form arrive: one after another, sealed on the way, and no more of them than the charter takes.

The upload handler of every form (`FILE_UPLOAD_HANDLERS`). A file larger than the charter's size, one too many, or one
that no longer fits beside the others is read past and noted, so that the words and the other files of the form stay;
the page says it (`left_of`). What waits for its page lies in a nameless file without its key: memory holds a block of
it, and a crash leaves nothing that opens. It judges sizes alone; what a file is, intake finds out.
"""

from __future__ import annotations

from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, NoReturn

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopFutureHandlers
from django.http import HttpRequest

from fuzhengtong.charter.editions import Uploads
from fuzhengtong.directory import world
from fuzhengtong.web.moment import now

MIB: Final = 1024 * 1024
# A form that weighs more is not read at all: ten times what the charter takes, so that one film too long costs nobody
# his words.
MOST_BYTES: Final = 1024 * MIB
# So much of a file stays in memory before it goes into a temporary one.
IN_MEMORY: Final = 256 * 1024
TOO_LARGE, TOO_HEAVY, TOO_MANY, NOT_KEPT = "too_large", "too_heavy", "too_many", "not_kept"


@dataclass(frozen=True, slots=True)
class Left:
    """A file that did not arrive: its name, why (the four words above), and the limit it met."""

    name: str
    why: str
    limit: int = 0


class FormTooHeavy(RequestDataTooBig):
    """The form weighs more than is even read: that is its files, never its words."""


class Spool:
    """A file on its way, sealed block by block under a key that lives in this object alone."""

    def __init__(self) -> None:
        folder = settings.HOME.path
        self._file: IO[bytes] = SpooledTemporaryFile(  # noqa: SIM115 - closed with the request
            max_size=IN_MEMORY, dir=folder if folder.is_dir() else None
        )
        # No key of the city's and none of the mint's: nothing outlives the request by which it could be opened.
        self._cipher = AESGCM(AESGCM.generate_key(bit_length=256))
        self._lengths: list[int] = []
        self._at = 0
        self._rest = b""
        self.size = 0

    @property
    def closed(self) -> bool:
        """Tell whether the file is gone."""
        return self._file.closed

    def write(self, data: bytes) -> None:
        """Add a block at the end; raises OSError where there is no room."""
        self._file.write(self._cipher.encrypt(self._nonce(len(self._lengths)), data, None))
        self._lengths.append(len(data) + 16)
        self.size += len(data)

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes, all that are left without a size."""
        wanted = self.size if size is None or size < 0 else size
        blocks, have = [self._rest], len(self._rest)
        while have < wanted and self._at < len(self._lengths):
            blocks.append(self._cipher.decrypt(self._nonce(self._at), self._file.read(self._lengths[self._at]), None))
            have += len(blocks[-1])
            self._at += 1
        data = b"".join(blocks)
        self._rest = data[wanted:]
        return data[:wanted]

    def seek(self, place: int) -> int:
        """Begin again from the start: the only place there is."""
        if place:
            raise OSError("a file on its way is read from its start")
        self._file.seek(0)
        self._at, self._rest = 0, b""
        return 0

    def close(self) -> None:
        """Let the bytes go; their key goes with this object."""
        self._file.close()

    @staticmethod
    def _nonce(block: int) -> bytes:
        return block.to_bytes(12, "big")


class Arriving(FileUploadHandler):
    """Take the files of a form within the charter's limits."""

    file: Spool

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._count = self._bytes = 0
        self._left: list[Left] = []

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *more: Any, **named: Any) -> None:
        """Refuse what is not even to be read; else note the limits for this form."""
        if content_length > MOST_BYTES:
            raise FormTooHeavy
        self._limits: Uploads = world.charters().in_force(now()).uploads
        self.request.files_left = self._left

    def new_file(self, *arguments: Any, **named: Any) -> None:
        """Begin a file, unless the form has as many as the charter takes."""
        super().new_file(*arguments, **named)
        if self._count >= self._limits.count:
            self._leave(TOO_MANY, self._limits.count)
        self._count += 1
        try:
            self.file = Spool()
        except OSError:
            self._leave(NOT_KEPT)
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Seal a block, unless the file has become too large for itself or beside the others."""
        size = self.file.size + len(raw_data)
        if size > self._limits.bytes_each:
            self._leave(TOO_LARGE, self._limits.bytes_each // MIB)
        if self._bytes + size > self._limits.bytes_total:
            self._leave(TOO_HEAVY, self._limits.bytes_total // MIB)
        try:
            self.file.write(raw_data)
        except OSError:
            self._leave(NOT_KEPT)

    def file_complete(self, file_size: int) -> UploadedFile:
        """Hand the file over to the form."""
        file = self.file
        # The parser closes what it finds under this name when a later file is left out.
        del self.file
        self._bytes += file.size
        file.seek(0)
        return UploadedFile(
            file=file,
            name=self.file_name,
            content_type=self.content_type,
            size=file.size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )

    def upload_interrupted(self) -> None:
        """Let go of a file whose sender has hung up."""
        if held := self.__dict__.pop("file", None):
            held.close()

    def _leave(self, why: str, limit: int = 0) -> NoReturn:
        """Note a file that is left out, free what came of it, and read past the rest."""
        self._left.append(Left(name=(self.file_name or "")[:80], why=why, limit=limit))
        if why != TOO_MANY:
            self._count -= 1
        self.upload_interrupted()
        raise SkipFile


def left_of(request: HttpRequest) -> tuple[Left, ...]:
    """Return the files of a form that did not arrive, in their order."""
    _ = request.FILES  # reads the form, if nobody has
    return tuple(getattr(request, "files_left", ()))


def sentence_of(left: Left, lang: str) -> str:
    """Say why a file of a form did not arrive."""
    key = {
        TOO_LARGE: "refusal.bad_file.too_large",
        TOO_HEAVY: "input.files_too_heavy",
        TOO_MANY: "input.too_many_files",
        NOT_KEPT: "input.file_not_kept",
    }[left.why]
    return world.texts().say(key, lang, name=left.name, limit=left.limit)
