"""Telling something on the page: taken once, receipted at once, and nothing lost whatever goes wrong."""

# ruff: noqa: F811 - fixtures of another module are asked for by name
from __future__ import annotations

import io
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from fuzhengtong.cases import models as cases_models
from fuzhengtong.intake import models as intake_models
from fuzhengtong.people import models as people_models
from tests.builders import City
from tests.web.test_resident_home import noon, phone  # noqa: F401 - fixtures

URLENCODED = "application/x-www-form-urlencoded"
GIVEN = {
    "text": "海州区和平街道益民社区的路灯不亮了",
    "place": "益民社区 3 号楼前",
    "phone": "13800000001",
    "name": "示例王",
    "whose": "self",
    "secrecy": "open",
    "consent": "privacy-1",
}
ACCUSATION = "我们村书记收红包，贪污低保款"


def photo(colour: str = "#667788", name: str = "路灯.jpg") -> SimpleUploadedFile:
    held = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(held, "JPEG")
    return SimpleUploadedFile(name, held.getvalue(), "image/jpeg")


def key_of(page: str) -> str:
    found = re.search(r'name="key" value="([0-9A-Z]{26})"', page)
    assert found is not None
    return found[1]


def form_of(phone: Client, /, **changes: Any) -> dict[str, Any]:
    """The form as a browser sends it, with the key of a page that was opened."""
    return {**GIVEN, "key": key_of(phone.get("/report/").content.decode()), **changes}


def code_in(answer: Any) -> str:
    assert answer.status_code == 303, answer.content.decode()[:600]
    return str(answer["Location"].split("/")[2])


def test_a_telling_leads_to_a_receipt_with_number_code_square_and_what_comes_next(phone: Client, city: City) -> None:
    answer = phone.post("/report/", form_of(phone))
    page = phone.get(answer["Location"]).content.decode()

    assert answer["Location"].endswith("/receipt/")
    assert re.search(r"FX26 1120 \d{4,} \d", page)
    assert "<svg" in page and "style=" not in page
    assert "接下来" in page and "办完并答复您" in page
    assert "2026\u00a0年\u00a011\u00a0月\u00a020\u00a0日" in page
    assert '<meta name="draft-done" content="report">' in page


def test_the_receipt_names_the_office_where_dispatch_is_sure(phone: Client, city: City) -> None:
    page = phone.get(phone.post("/report/", form_of(phone))["Location"]).content.decode()
    case = cases_models.Case.objects.get()

    assert case.office is not None
    assert f"已经交给{case.office.name}办理" in page


def test_the_consent_is_kept_with_the_version_of_the_notice(phone: Client) -> None:
    phone.post("/report/", form_of(phone))

    assert list(people_models.Consent.objects.values_list("notice", "channel")) == [("privacy-1", "h5")]


def test_the_same_form_sent_twice_is_taken_once_photos_included(phone: Client) -> None:
    form = form_of(phone)

    first = phone.post("/report/", {**form, "photos": [photo()]})
    second = phone.post("/report/", {**form, "photos": [photo()]})

    assert code_in(first) == code_in(second)
    assert cases_models.Appeal.objects.count() == 1
    assert cases_models.Attachment.objects.count() == 1


def test_a_form_changed_after_it_arrived_keeps_both_and_shows_the_first_receipt(phone: Client) -> None:
    form = form_of(phone)
    code = code_in(phone.post("/report/", form))

    answer = phone.post("/report/", {**form, "text": "路灯不亮，还有井盖松了"})
    page = answer.content.decode()

    assert answer.status_code == 422
    assert f"/q/{code}/receipt/" in page and "还有井盖松了" in page
    assert key_of(page) != form["key"]


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_or_sent_is_lost(phone: Client) -> None:
    answer = phone.post("/report/", form_of(phone, phone="1380000", consent="", text="", photos=[photo(name="坑.jpg")]))
    page = answer.content.decode()

    assert answer.status_code == 422
    for field in ("text", "phone", "consent"):
        assert f'id="{field}-error"' in page
    assert 'value="1380000"' in page and 'value="益民社区 3 号楼前"' in page
    assert "坑.jpg" in page and 'name="staged"' in page
    assert cases_models.Appeal.objects.count() == 0


def test_a_photo_that_arrived_with_a_refused_form_is_bound_when_the_form_is_right(phone: Client) -> None:
    page = phone.post("/report/", form_of(phone, phone="1380000", photos=[photo()])).content.decode()
    token = re.search(r'name="staged" value="([0-9A-Z]{26})"', page)
    assert token is not None

    code_in(phone.post("/report/", {**GIVEN, "key": key_of(page), "staged": token[1], "staged_name": "路灯.jpg"}))

    assert cases_models.Attachment.objects.count() == 1


def test_a_file_of_an_unknown_kind_is_refused_beside_the_photos_and_the_text_stays(phone: Client) -> None:
    bad = SimpleUploadedFile("病毒.jpg.exe", b"MZ\x90\x00 no picture", "image/jpeg")
    answer = phone.post("/report/", form_of(phone, photos=[bad]))

    assert answer.status_code == 422
    assert 'id="photos-error"' in answer.content.decode() and GIVEN["text"] in answer.content.decode()


@pytest.mark.parametrize("field", ["text", "place", "name", "other_name"])
def test_a_report_on_an_official_is_shown_its_lawful_way_and_leaves_no_trace(phone: Client, field: str) -> None:
    answer = phone.post("/report/", form_of(phone, photos=[photo()], **{field: ACCUSATION}))
    page = answer.content.decode()

    assert answer.status_code == 422
    assert "12388" in page and "平台没有保存" in page and ACCUSATION in page
    assert '<meta name="draft-done" content="report">' in page
    assert cases_models.Appeal.objects.count() == 0
    assert intake_models.Upload.objects.count() == 0


def test_what_was_staged_for_a_screened_telling_is_gone_too(phone: Client) -> None:
    page = phone.post("/report/", form_of(phone, phone="1380000", photos=[photo()])).content.decode()
    token = re.search(r'name="staged" value="([0-9A-Z]{26})"', page)
    assert token is not None and intake_models.Upload.objects.count() == 1

    phone.post("/report/", form_of(phone, text=ACCUSATION, staged=token[1], staged_name="x"))

    assert intake_models.Upload.objects.count() == 0


def test_somebody_sent_back_from_the_lawful_way_finds_his_words_in_the_form(phone: Client) -> None:
    page = phone.post("/report/", form_of(phone, text=ACCUSATION, back="1")).content.decode()

    assert ACCUSATION in page and 'name="consent"' in page
    assert cases_models.Appeal.objects.count() == 0


def test_words_of_danger_show_the_emergency_numbers_on_the_receipt(phone: Client) -> None:
    page = phone.get(
        phone.post("/report/", form_of(phone, text="厨房里燃气泄漏，味道很大"))["Location"]
    ).content.decode()

    slip = page[: page.index('id="slip"')]
    assert all(f"tel:{number}" in slip for number in (110, 119, 120))


def test_the_receipt_of_somebody_without_a_phone_warns_that_the_code_is_the_only_way(phone: Client) -> None:
    answer = phone.post("/report/", form_of(phone, name="", phone="", secrecy="anonymous"))

    assert "没有留电话" in phone.get(answer["Location"]).content.decode()


def test_a_name_left_beside_the_wish_for_none_is_not_taken_in_silence(phone: Client) -> None:
    answer = phone.post("/report/", form_of(phone, secrecy="anonymous"))

    assert answer.status_code == 422 and "选了不留姓名电话" in answer.content.decode()
    assert cases_models.Appeal.objects.count() == 0


def test_whoever_reaches_the_rate_of_tellings_keeps_his_words(phone: Client) -> None:
    from fuzhengtong.directory import world

    limit = world.charters().editions[0].rates.appeal_per_person.limit
    for _ in range(limit):
        code_in(phone.post("/report/", form_of(phone)))

    answer = phone.post("/report/", form_of(phone))

    assert answer.status_code == 429 and GIVEN["text"] in answer.content.decode()


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ settings }}{% debug %}"


def test_hostile_text_is_shown_as_text_wherever_it_is_shown(phone: Client) -> None:
    code = code_in(phone.post("/report/", form_of(phone, text=HOSTILE, place=HOSTILE, photos=[photo(name=HOSTILE)])))
    refused = phone.post("/report/", form_of(phone, text=HOSTILE, place=HOSTILE, name=HOSTILE, consent=""))
    pages = [phone.get(f"/q/{code}/{page}").content.decode() for page in ("", "receipt/", "place/")]

    for page in [*pages, refused.content.decode()]:
        assert "<script>alert" not in page and "<img src=x" not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize("text", ["\x00", "\u202e翻过来", "\u200b", "🙂" * 9, "\r\n\r\n", "a" * 10_001, "᠎ᠮᠣᠩᠭᠣᠯ"])
def test_no_text_makes_the_page_fail(phone: Client, text: str) -> None:
    assert phone.post("/report/", form_of(phone, text=text)).status_code in (303, 422)


@pytest.mark.parametrize("lat", ["nan", "inf", "1e308", "999", "x", ""])
def test_no_place_makes_the_page_fail(phone: Client, lat: str) -> None:
    answer = phone.post("/report/", form_of(phone, lat=lat, lng="121.6", accuracy="-3"))

    assert answer.status_code in (303, 422)


def test_words_too_long_to_be_read_are_said_to_be_so_with_the_limit(phone: Client) -> None:
    plain = phone.post("/report/", urlencode({"text": "路" * 90_000}), content_type=URLENCODED)
    with_files = phone.post("/report/", {"text": "路" * 90_000, "photos": [photo()]})
    english = phone.post("/report/", {"text": "路" * 90_000}, HTTP_ACCEPT_LANGUAGE="en")

    assert [answer.status_code for answer in (plain, with_files, english)] == [413, 413, 413]
    for answer in (plain, with_files):
        assert "最多 10000 个字" in answer.content.decode() and "减少照片" not in answer.content.decode()
    assert "At most 10000 characters" in english.content.decode()


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "gbk", "unheard-of"])
@pytest.mark.parametrize(
    ("path", "field"), [("/report/", "text"), ("/find/", "code"), ("/desk/sign-in/", "login"), ("/lang/", "lang")]
)
def test_a_form_in_another_encoding_is_refused_before_it_is_read(
    phone: Client, path: str, field: str, charset: str
) -> None:
    body = f'--b\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n+2AA-\r\n--b--\r\n'

    answer = phone.generic("POST", path, body, f"multipart/form-data; boundary=b; charset={charset}")

    assert answer.status_code == 422
    assert cases_models.Appeal.objects.count() == 0


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8", '"utf-8"'])
def test_a_form_that_says_it_is_utf_8_is_read(phone: Client, charset: str) -> None:
    body = '--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n路灯\r\n--b--\r\n'

    answer = phone.generic("POST", "/report/", body, f"multipart/form-data; boundary=b; charset={charset}")

    assert "路灯</textarea>" in answer.content.decode()


def test_half_a_character_in_an_address_is_no_failure(phone: Client) -> None:
    answer = phone.generic("GET", "/report/?again=%2B2AA-", "", "text/plain; charset=utf-7")

    assert answer.status_code < 500
