"""What the charter allows arrives by the form; what is beyond it is told, and costs neither the words nor the rest."""

# ruff: noqa: F811 - fixtures of another module are asked for by name
from __future__ import annotations

import io
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from PIL import Image

from fuzhengtong.cases import models as cases_models
from fuzhengtong.charter.editions import Uploads
from fuzhengtong.config import home as homes
from fuzhengtong.connectors.store import Folder
from fuzhengtong.directory import world
from fuzhengtong.intake import actions as intake_actions
from fuzhengtong.kernel import crypto
from fuzhengtong.web import uploads
from tests.web.test_resident_home import noon, phone  # noqa: F401 - fixtures
from tests.web.test_resident_tell import GIVEN, code_in, form_of, key_of, photo

MIB = 1024 * 1024
FILM = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"


@pytest.fixture(autouse=True)
def rooms(tmp_path: Path) -> Iterator[None]:
    home = homes.at(tmp_path / "home")
    home.prepare()
    with override_settings(HOME=home, STORE=tmp_path / "store"):
        yield


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Narrow the charter's limits, so that a test need not send a hundred megabytes."""

    def to(**limits: int) -> None:
        charters = world.charters()
        charter = charters.in_force(uploads.now())
        narrower = replace(charter, uploads=replace(charter.uploads, **limits))
        monkeypatch.setattr(world, "charters", lambda: replace(charters, editions=(narrower,)))

    return to


def film(size: int, name: str = "路灯.mp4") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, FILM + os.urandom(1024) * ((size - len(FILM)) // 1024), "video/mp4")


def staged_in(answer: Any) -> list[str]:
    return re.findall(r'name="staged_name" value="([^"]*)"', answer.content.decode())


def kept(moment: Any = None) -> list[bytes]:
    """Open every file that is bound to a case, as its page would."""
    from fuzhengtong.cases import ledger

    found = []
    for row in cases_models.Attachment.objects.select_related("case").order_by("id"):
        key = ledger.data_key(row.case.number, bytes(row.case.data_key))
        own = crypto.unseal(key=key, sealed=bytes(row.wrapped_key), aad=f"file|{row.address}".encode())
        found.append(crypto.unseal(key=own, sealed=Folder(settings.STORE).get(row.address), aad=b"file"))
    return found


def test_a_form_of_more_than_twelve_megabytes_arrives_whole(phone: Client) -> None:
    films = [film(7 * MIB, f"{nth}.mp4") for nth in range(3)]
    sent = [one.read() for one in films]
    for one in films:
        one.seek(0)

    code_in(phone.post("/report/", form_of(phone, photos=films)))

    assert kept() == sent


def test_one_file_as_large_as_the_charter_allows_arrives(phone: Client) -> None:
    largest = world.charters().in_force(uploads.now()).uploads.bytes_each
    whole = FILM + bytes(largest - len(FILM))

    code_in(phone.post("/report/", form_of(phone, photos=[SimpleUploadedFile("a.mp4", whole, "video/mp4")])))

    assert [len(data) for data in kept()] == [largest]


def test_a_file_beyond_the_size_is_told_and_the_words_and_the_other_photos_stay(phone: Client, narrow: Any) -> None:
    narrow(bytes_each=MIB)
    answer = phone.post("/report/", form_of(phone, photos=[photo(name="前.jpg"), film(2 * MIB), photo(name="后.jpg")]))

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "路灯.mp4”太大了，每个不能超过1 MB" in page and 'id="photos-error"' in page
    assert staged_in(answer) == ["前.jpg", "后.jpg"]
    assert GIVEN["text"] in page and GIVEN["phone"] in page

    tokens = re.findall(r'name="staged" value="([0-9A-Z]{26})"', page)
    code_in(phone.post("/report/", {**GIVEN, "key": key_of(page), "staged": tokens, "staged_name": ["a", "b"]}))
    assert cases_models.Attachment.objects.count() == 2


def test_what_no_longer_fits_beside_the_others_is_told_and_smaller_ones_after_it_arrive(
    phone: Client, narrow: Any
) -> None:
    narrow(bytes_each=MIB, bytes_total=2 * MIB)
    heavy = [film(MIB - 2048, f"{nth}.mp4") for nth in range(3)]

    answer = phone.post("/report/", form_of(phone, photos=[*heavy, photo(name="小.jpg")]))

    page = answer.content.decode()
    assert "加起来超过 2 MB 了，“2.mp4”没有收到" in page
    assert staged_in(answer) == ["0.mp4", "1.mp4", "小.jpg"]


def test_one_too_many_is_told_once_and_the_first_ones_stay(phone: Client, narrow: Any) -> None:
    narrow(count=3)

    answer = phone.post("/report/", form_of(phone, photos=[photo(name=f"{nth}.jpg") for nth in range(20)]))

    page = answer.content.decode()
    assert page.count("一次最多 3 个") == 1
    assert staged_in(answer) == ["0.jpg", "1.jpg", "2.jpg"]
    assert GIVEN["text"] in page


def test_files_are_told_in_english_too(phone: Client, narrow: Any) -> None:
    narrow(bytes_each=MIB)

    answer = phone.post("/report/", form_of(phone, photos=[film(2 * MIB)]), HTTP_ACCEPT_LANGUAGE="en")

    assert "is too large, each may have 1 MB" in answer.content.decode()


def test_words_typed_after_the_photos_of_the_form_are_read_however_much_came_before(narrow: Any, phone: Client) -> None:
    narrow(bytes_each=MIB)
    form = form_of(phone)
    text = form.pop("text")

    answer = phone.post("/report/", {"photos": [film(3 * MIB)], **form, "text": text})

    assert text in answer.content.decode()


def test_the_same_large_form_sent_twice_is_taken_once(phone: Client) -> None:
    form, data = form_of(phone), film(13 * MIB).read()

    codes = {code_in(phone.post("/report/", {**form, "photos": [SimpleUploadedFile("a.mp4", data)]})) for _ in range(2)}

    assert len(codes) == 1 and cases_models.Attachment.objects.count() == 1


def test_a_full_disk_costs_the_photo_and_not_the_words(phone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(uploads.Spool):
        def write(self, data: bytes) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(uploads, "Spool", Full)

    answer = phone.post("/report/", form_of(phone, photos=[photo(name="灯.jpg")]))

    assert answer.status_code == 422
    assert "“灯.jpg”没有收好" in answer.content.decode() and GIVEN["text"] in answer.content.decode()


def test_a_form_of_a_browser_with_its_token_is_read_the_same_way(noon: Any, narrow: Any) -> None:
    narrow(bytes_each=MIB)
    browser = Client(enforce_csrf_checks=True, headers={"accept-language": "zh-CN"})
    page = browser.get("/report/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    form = {**GIVEN, "key": key_of(page), "csrfmiddlewaretoken": token[1]}

    answer = browser.post("/report/", {**form, "photos": [film(2 * MIB), photo(name="小.jpg")]})

    assert answer.status_code == 422 and staged_in(answer) == ["小.jpg"]


def test_what_is_not_even_read_is_refused_with_a_sentence(noon: Any) -> None:
    for checks in (False, True):
        browser = Client(enforce_csrf_checks=checks, headers={"accept-language": "zh-CN"})

        answer = browser.post("/report/", {"text": "灯"}, CONTENT_LENGTH=str(uploads.MOST_BYTES + 1))

        assert answer.status_code in (413, 403)
        if checks is False:
            assert "一次提交的内容太多" in answer.content.decode()


def test_a_body_that_is_no_form_is_refused_with_a_page_of_ours_even_before_any_view(noon: Any) -> None:
    browser = Client(enforce_csrf_checks=True, headers={"accept-language": "zh-CN"})
    browser.get("/report/")

    answer = browser.generic("POST", "/report/", b"--x", content_type="multipart/form-data; boundary=" + "y" * 300)

    assert answer.status_code in (403, 422)
    assert 'lang="zh-Hans"' in answer.content.decode()


# --- on the way --------------------------------------------------------------------------------------------------


def test_a_file_on_its_way_is_read_as_it_was_sent_in_any_pieces() -> None:
    sent = os.urandom(700_000)
    spool = uploads.Spool()
    for begin in range(0, len(sent), 65_536):
        spool.write(sent[begin : begin + 65_536])

    spool.seek(0)
    pieces = [spool.read(size) for size in (1, 0, 65_535, 65_537, 300_000)]
    rest = spool.read()
    spool.seek(0)

    assert b"".join(pieces) + rest == sent
    assert [len(piece) for piece in pieces] == [1, 0, 65_535, 65_537, 300_000]
    assert spool.read() == sent and spool.read() == b"" and spool.read(5) == b""
    spool.close()
    assert spool.closed


def test_what_lies_on_the_disk_on_its_way_is_sealed_and_has_no_name() -> None:
    spool = uploads.Spool()
    told = "示例的一句话".encode()
    for _ in range(20):
        spool.write(told * 2000)

    names = [path for path in settings.HOME.path.rglob("*") if path.is_file()]
    descriptor = spool._file.fileno()
    lies = os.pread(descriptor, 10_000_000, 0)

    assert names == []
    assert len(lies) > uploads.IN_MEMORY and told not in lies
    spool.close()


def test_memory_holds_a_piece_of_a_form_and_not_the_whole() -> None:
    import tracemalloc

    block = os.urandom(65_536)
    spool = uploads.Spool()
    tracemalloc.start()
    try:
        for _ in range(320):
            spool.write(block)
        spool.seek(0)
        while spool.read(65_536):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        spool.close()

    assert spool.size == 20 * MIB and peak < 2 * MIB


def test_no_more_than_a_few_files_are_whole_in_memory_at_once(noon: Any, moment: Any, tmp_path: Path) -> None:
    limits: Uploads = moment.charter.uploads
    assert limits.bytes_each == 20 * MIB
    data = io.BytesIO()
    Image.new("RGB", (8, 8)).save(data, "JPEG")
    lock, now, most = threading.Lock(), 0, 0
    gate = threading.Event()

    class Slow:
        def read(self) -> bytes:
            nonlocal now, most
            with lock:
                now += 1
                most = max(most, now)
            gate.wait(0.05)
            with lock:
                now -= 1
            # Nothing is staged: what is empty is refused before any table is asked.
            return b""

    def stage() -> None:
        with pytest.raises(intake_actions.pictures.BadFile):
            intake_actions.stage(data=Slow(), name="a", moment=moment, store=Folder(tmp_path / "store"))

    threads = [threading.Thread(target=stage) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == intake_actions.AT_ONCE
