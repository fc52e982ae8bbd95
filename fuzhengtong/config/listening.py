"""Where the web server listens: which addresses and ports there are, and whether one is free.

Called by the command line before it announces an address. The server shares its port among its own workers, and so would
share it with a second city of the same user: each would get half of the requests. Hence a look that shares nothing.
"""

from __future__ import annotations

import argparse
import errno
import ipaddress
import os
import socket
import time
from collections.abc import Callable, Mapping

from fuzhengtong.config.home import SettingRefused, Unusable

USUAL_PORT = "8000"
# A server that was asked to stop a moment ago, or whose supervisor was killed, is given this long to leave its port.
PATIENCE_SECONDS = 3.0


class PortTaken(Unusable):
    """Refuse a port that another program listens on."""

    code = "port_taken"


class NotListening(Unusable):
    """Refuse an address of another machine, or a port that is not ours to take."""

    code = "not_listening"


def whole(most: int) -> Callable[[str], int]:
    """Make a reader of whole numbers from 1 to `most`, which says what it wanted; argparse names the argument."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
            raise argparse.ArgumentTypeError(
                f"应为 1 到 {most} 的整数，不是 {text!r} / must be a whole number from 1 to {most}, not {text!r}"
            )
        return int(text)

    return read


port = whole(65535)


def host(text: str) -> str:
    """Read an address to listen at: a number, as the server wants it, not a name."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"应为 IP 地址，如 127.0.0.1（只限本机）或 0.0.0.0，不是 {text!r} / "
            f"must be an IP address such as 127.0.0.1 (this machine alone) or 0.0.0.0, not {text!r}"
        ) from None


def usual_port(environ: Mapping[str, str] = os.environ) -> int:
    """Read the port of PORT, else the usual one; refused with the variable's name where it is none."""
    try:
        return port(environ.get("PORT") or USUAL_PORT)
    except argparse.ArgumentTypeError as problem:
        zh, en = str(problem).split(" / ")
        raise SettingRefused(f"PORT {zh}。", f"PORT {en}.") from None


def address(host: str, port: int) -> str:
    """Write the address as a browser takes it."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def refuse_taken(host: str, port: int, *, patience: float = PATIENCE_SECONDS) -> None:
    """Refuse a port that another program listens on, and one that cannot be taken at all.

    Connections that linger after a server has ended do not count. Only for a start by a person: a server that is
    started again by its supervisor is not asked.
    """
    ends = time.monotonic() + patience
    while problem := _problem(host, port):
        if problem.errno != errno.EADDRINUSE:
            raise NotListening(
                f"无法在 {host} 的端口 {port} 上监听（{problem.strerror}）。请用 --host 或 --port 换一个，如 --port 8001。",
                f"Nothing can listen at {host}, port {port} ({problem.strerror}). Choose others by --host and --port.",
            )
        if time.monotonic() >= ends:
            other = port + 1 if port < 65535 else int(USUAL_PORT)
            raise PortTaken(
                f"{host} 的端口 {port} 已被另一个程序占用。请先停止它，或换一个端口：PORT={other} 或 --port {other}。",
                f"Another program listens on port {port} of {host}. Stop it, or take another port: PORT={other} or "
                f"--port {other}.",
            )
        time.sleep(0.1)


def _problem(host: str, port: int) -> OSError | None:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # On Linux it still bars a port that somebody listens on, and passes over what lingers (TIME_WAIT).
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as problem:
        return problem
    return None
