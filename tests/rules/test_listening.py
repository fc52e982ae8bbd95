"""Where the web server listens: what is an address and a port, and when a port is free."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from fuzhengtong.config import cli, listening
from fuzhengtong.config.home import SettingRefused

HERE = "127.0.0.1"


@pytest.fixture
def bound() -> Iterator[socket.socket]:
    """A socket with a port of this test alone, which does not listen yet; shared as the web server shares its own."""
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((HERE, 0))
        yield made


def port_of(made: socket.socket) -> int:
    return int(made.getsockname()[1])


def test_a_port_that_nobody_listens_on_is_free(bound: socket.socket) -> None:
    listening.refuse_taken(HERE, port_of(bound), patience=0)


@pytest.mark.parametrize("host", [HERE, "0.0.0.0"])  # noqa: S104 - looked at, never bound
def test_a_port_that_a_program_listens_on_and_shares_is_refused_with_its_number_and_a_remedy(
    bound: socket.socket, host: str
) -> None:
    bound.listen()

    with pytest.raises(listening.PortTaken) as refused:
        listening.refuse_taken(host, port_of(bound), patience=0)

    for sentence in (refused.value.zh, refused.value.en):
        assert str(port_of(bound)) in sentence
        assert "PORT=" in sentence and "--port" in sentence


def test_connections_that_linger_after_a_server_ended_do_not_bar_the_next_one(bound: socket.socket) -> None:
    port = port_of(bound)
    bound.listen()
    with closing(socket.create_connection((HERE, port))) as visitor:
        answering = bound.accept()[0]
        answering.close()  # first, so that it is the server's side that lingers
        assert visitor.recv(1) == b""
    bound.close()

    listening.refuse_taken(HERE, port, patience=0)


def test_an_address_of_another_machine_is_refused(bound: socket.socket) -> None:
    with pytest.raises(listening.NotListening) as refused:
        listening.refuse_taken("192.0.2.1", port_of(bound), patience=0)

    assert "192.0.2.1" in refused.value.zh and "--host" in refused.value.en


@pytest.mark.parametrize("text", ["0", "-1", "65536", "99999", "abc", "8_000", "", "８０００", "9" * 5000])
def test_what_is_no_port_is_said(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="65535 的整数.* / must be a whole number"):
        listening.port(text)
    if text:
        with pytest.raises(SettingRefused, match="^PORT 应为"):
            listening.usual_port({"PORT": text})


def test_the_port_is_that_of_the_variable_or_the_usual_one() -> None:
    assert [listening.usual_port(environ) for environ in ({}, {"PORT": ""}, {"PORT": "8123"})] == [8000, 8000, 8123]


def test_an_address_is_written_as_a_browser_takes_it() -> None:
    assert listening.address(HERE, 80) == "http://127.0.0.1:80"
    assert listening.address("::1", 8000) == "http://[::1]:8000"


@pytest.mark.parametrize(
    "words",
    [["--host", "256.1.1.1"], ["--host", "localhost"], ["--workers", "0"], ["--threads", "-1"], ["--port", "99999"]],
)
@pytest.mark.parametrize("command", ["serve", "web"])
def test_a_start_with_a_wrong_number_is_not_understood_and_names_the_argument(
    capsys: pytest.CaptureFixture[str], command: str, words: list[str]
) -> None:
    assert cli.main([command, *words]) == 2

    said = capsys.readouterr().err
    assert words[0] in said and words[1] in said and "Traceback" not in said
