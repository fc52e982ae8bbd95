"""Check and clean one uploaded file: pure work on bytes, called by `intake.actions.stage`.

A picture is decoded within limits, turned upright, made smaller and written anew, which removes its metadata (place,
device, time); any other file must be what its content says and of a kind the charter allows.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

import filetype
from PIL import Image, ImageOps
from pillow_heif import register_heif_opener

from fuzhengtong.charter.editions import Uploads
from fuzhengtong.kernel.errors import Refused

register_heif_opener()

LONG_SIDE = 2560
_PICTURES = {"image/jpeg", "image/png", "image/webp", "image/heic", "image/heif"}
_ENDINGS = {
    "image/jpeg": ".jpg",
    "application/pdf": ".pdf",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/x-wav": ".wav",
    "audio/amr": ".amr",
    "video/mp4": ".mp4",
}
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|\u202a-\u202e\u2066-\u2069]")


class BadFile(Refused):
    """Refuse a file; `why` is empty, too_large, not_allowed, broken or too_many_pixels."""

    code = "bad_file"


@dataclass(frozen=True)
class File:
    data: bytes
    media_type: str
    name: str


def checked(*, data: bytes, name: str, limits: Uploads) -> File:
    """Return the file cleaned, or raise BadFile; the kind is what the bytes say, never what the name says."""
    if not data:
        raise BadFile(why="empty", name=name[:60])
    if len(data) > limits.bytes_each:
        raise BadFile(why="too_large", name=name[:60], limit=limits.bytes_each // (1024 * 1024))
    kind = filetype.guess(data)
    media_type = kind.mime if kind else ""
    if media_type in _PICTURES:
        return File(data=_redrawn(data, name, limits), media_type="image/jpeg", name=safe_name(name, "image/jpeg"))
    if media_type not in limits.kinds:
        raise BadFile(why="not_allowed", name=name[:60])
    return File(data=data, media_type=media_type, name=safe_name(name, media_type))


def _redrawn(data: bytes, name: str, limits: Uploads) -> bytes:
    try:
        with Image.open(io.BytesIO(data)) as opened:
            width, height = opened.size
            if width * height > limits.pixels:
                raise BadFile(why="too_many_pixels", name=name[:60], limit=limits.pixels // 1_000_000)
            opened.draft("RGB", (LONG_SIDE, LONG_SIDE))
            # Made smaller before anything else: each further copy of the whole would cost four bytes a point.
            small = opened.convert("RGB") if opened.mode in ("1", "P", "PA") else opened
            small.thumbnail((LONG_SIDE, LONG_SIDE))
            picture = ImageOps.exif_transpose(small).convert("RGB")
    except BadFile:
        raise
    # Pillow raises many kinds of errors on broken or hostile files; all of them mean the same to the person.
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, MemoryError) as error:
        raise BadFile(why="broken", name=name[:60]) from error
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=82, optimize=True)
    return out.getvalue()


def safe_name(name: str, media_type: str) -> str:
    """Return a file name that is safe to show and to save, with the ending of what the file is."""
    stem = _UNSAFE.sub("", name).strip(". ").rsplit(".", 1)[0][:80] or "file"
    return stem + _ENDINGS.get(media_type, "")
