"""The store of sealed files: a folder, addressed by the hash of what is stored. Knows no domain word.

What is put is durable before its address is returned. An S3-compatible store would be a second class of this shape.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Protocol

_ADDRESS = re.compile(r"[0-9a-f]{64}")


class NotStored(Exception):  # noqa: N818 - named by what is wrong
    """Nothing lies at this address, or what lies there is not what was put."""


class Store(Protocol):
    def put(self, data: bytes) -> str: ...
    def get(self, address: str) -> bytes: ...
    def remove(self, address: str) -> None: ...


class Folder:
    """A store in the file system."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def _place(self, address: str) -> Path:
        if not _ADDRESS.fullmatch(address):
            raise NotStored(address)
        return self.path / address[:2] / address[2:]

    def put(self, data: bytes) -> str:
        """Store bytes and return their address; durable when it returns, and harmless to repeat."""
        address = hashlib.sha256(data).hexdigest()
        place = self._place(address)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if place.exists():
            return address
        draft = place.with_name(f".{place.name}.{os.getpid()}")
        with open(draft, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, place)
        handle = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        return address

    def get(self, address: str) -> bytes:
        """Return what lies at an address; refused where it is missing or has been changed."""
        try:
            data = self._place(address).read_bytes()
        except FileNotFoundError as error:
            raise NotStored(address) from error
        if hashlib.sha256(data).hexdigest() != address:
            raise NotStored(address)
        return data

    def remove(self, address: str) -> None:
        """Remove what lies at an address; removing it twice is harmless."""
        self._place(address).unlink(missing_ok=True)
