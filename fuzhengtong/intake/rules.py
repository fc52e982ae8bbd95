"""What a telling must be before it is taken: pure checks, and the screen that stands before any write.

Called by `intake.actions` for every door. Bad input is refused with all that is wrong with it, each fault with its
field and a key of the texts (`input.<key>`), so that the person sees it beside the field in his own language.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from fuzhengtong.charter.editions import Charter
from fuzhengtong.kernel import geodesy, masks
from fuzhengtong.kernel.errors import Refused

NAME_LENGTH = 60
ADDRESS_LENGTH = 300
SOURCE_LENGTH = 200
# A phone's clock may run ahead a little; more than this is a fault of the input (channels: skew above 10 minutes).
AHEAD = timedelta(minutes=10)
OLDEST = datetime.fromisoformat("2000-01-01T00:00:00+08:00")
DATUMS = ("WGS-84", "GCJ-02", "BD-09")

_LINE_ENDS = re.compile("\r\n|[\r\v\f\u0085\u2028\u2029]")
# Characters that show nothing and can turn or hide what is shown.
_UNSEEN = re.compile("[\u0001-\u0008\u000e-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_UNSTORABLE = re.compile("[\u0000\ud800-\udfff]")
# The version of the privacy notice that was shown: a key, never words.
_NOTICE = re.compile("[a-z0-9][a-z0-9.-]{0,39}")


class Person(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str = ""
    phone: str = ""


class Location(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    address: str = ""
    lat: float | None = None
    lng: float | None = None
    datum: str = "WGS-84"
    accuracy_m: float | None = None


class Submission(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One telling as any door hands it in; the body of POST /api/v1/appeals."""

    channel: str
    text: str
    reporter: Person | None = None
    principal: Person | None = None
    location: Location | None = None
    confidential: bool = False
    anonymous: bool = False
    taken_at: datetime | None = None
    source_ref: str = ""
    files: tuple[str, ...] = ()
    consent: str = ""


@dataclass(frozen=True)
class Lane:
    """What the rules need to know of a channel."""

    code: str
    is_public: bool
    needs_phone: bool
    allows_anonymous: bool
    is_proxy: bool
    asks_consent: bool


@dataclass(frozen=True)
class Fault:
    """One thing wrong with an input: the field, the key of the sentence, its facts."""

    field: str
    key: str
    facts: tuple[tuple[str, object], ...] = ()


class BadInput(Refused):
    """Refuse an input with everything that is wrong with it (422); nothing was written."""

    code = "bad_input"

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(faults=faults)
        self.faults = faults


class Screened(Refused):
    """Refuse to store a discipline report: the person is shown the lawful route, and nothing was written."""

    code = "screened"


class NotThisDoor(Refused):
    """Refuse a channel to somebody who may not tell by it."""

    code = "not_this_door"


@dataclass(frozen=True)
class Checked:
    """A telling that may be taken."""

    channel: str
    text: str
    name: str
    phone: str | None
    principal_name: str
    principal_phone: str | None
    address: str
    lat: float | None
    lng: float | None
    datum: str
    accuracy_m: int | None
    told_at: datetime | None
    confidential: bool
    anonymous: bool
    consent: str
    source_ref: str
    files: tuple[str, ...]


def screen(text: str, charter: Charter) -> None:
    """Raise Screened where the red lines of the charter find a report on a person in public office.

    Pure, and called before any write at every door (Petition Rules 22, 30; 检举控告工作规则 15): such a report may
    not be entered, spread or excerpted by the ordinary program.
    """
    if charter.redlines.found("discipline", text):
        raise Screened


def texts_of(submission: Submission) -> tuple[str, ...]:
    """List every free text of a telling: the screen reads them all."""
    people = tuple(person.name for person in (submission.reporter, submission.principal) if person)
    address = submission.location.address if submission.location else ""
    return (submission.text, submission.source_ref, address, *people)


def clean(text: str) -> str:
    """Return a text with plain line ends, without unseen characters, without blanks at its ends."""
    return _UNSEEN.sub("", _LINE_ENDS.sub("\n", text)).strip()


def check(submission: Submission, *, lane: Lane | None, charter: Charter, at: datetime) -> Checked:
    """Return the telling cleaned and normalised, or raise BadInput with every fault it has."""
    faults: list[Fault] = []
    if lane is None:
        raise BadInput((Fault("channel", "unknown_channel", (("channel", submission.channel[:40]),)),))
    text = _said(submission.text, "text", charter.text.characters, faults)
    if not text and not any(fault.field == "text" for fault in faults):
        faults.append(Fault("text", "text_missing"))
    name, phone = _person(submission.reporter, "reporter", faults)
    principal_name, principal_phone = _person(submission.principal, "principal", faults)
    if submission.anonymous:
        if not lane.allows_anonymous:
            faults.append(Fault("anonymous", "anonymous_not_here"))
        elif name or phone or principal_name or principal_phone:
            faults.append(Fault("anonymous", "anonymous_with_name"))
    elif lane.needs_phone and phone is None:
        faults.append(Fault("reporter.phone", "phone_missing"))
    place = submission.location or Location()
    address = _said(place.address, "location.address", ADDRESS_LENGTH, faults)
    point = _point(place, faults)
    if len(submission.files) > charter.uploads.count:
        faults.append(Fault("files", "too_many_files", (("limit", charter.uploads.count),)))
    source_ref = _said(submission.source_ref, "source_ref", SOURCE_LENGTH, faults)
    told_at = _when(submission.taken_at, at, faults)
    if submission.consent and not _NOTICE.fullmatch(submission.consent):
        faults.append(Fault("consent", "unknown_notice"))
    if faults:
        raise BadInput(tuple(faults))
    return Checked(
        channel=lane.code,
        text=text,
        name=name,
        phone=phone,
        principal_name=principal_name,
        principal_phone=principal_phone,
        address=address,
        lat=point[0] if point else None,
        lng=point[1] if point else None,
        datum=place.datum if point else "",
        accuracy_m=round(place.accuracy_m) if point and place.accuracy_m is not None else None,
        told_at=told_at,
        confidential=submission.confidential,
        anonymous=submission.anonymous,
        consent=submission.consent,
        source_ref=source_ref,
        files=submission.files,
    )


def words(value: str, *, field: str, limit: int) -> tuple[str, tuple[Fault, ...]]:
    """Return a text that stands beside a telling cleaned, and what is wrong with it."""
    faults: list[Fault] = []
    return _said(value, field, limit, faults), tuple(faults)


def _said(value: str, field: str, limit: int, faults: list[Fault]) -> str:
    if _UNSTORABLE.search(value):
        faults.append(Fault(field, "broken_characters"))
        return ""
    cleaned = clean(value)
    if len(cleaned) > limit:
        faults.append(Fault(field, "too_long", (("limit", limit), ("length", len(cleaned)))))
    return cleaned


def _person(person: Person | None, field: str, faults: list[Fault]) -> tuple[str, str | None]:
    if person is None:
        return "", None
    name = _said(person.name, f"{field}.name", NAME_LENGTH, faults)
    if "\n" in name:
        faults.append(Fault(f"{field}.name", "one_line"))
    told = _said(person.phone, f"{field}.phone", 40, faults)
    phone = masks.normal_phone(told) if told else None
    if told and phone is None:
        faults.append(Fault(f"{field}.phone", "no_phone"))
    return unicodedata.normalize("NFC", name), phone


def _point(place: Location, faults: list[Fault]) -> tuple[float, float] | None:
    if place.lat is None and place.lng is None:
        return None
    if place.lat is None or place.lng is None:
        faults.append(Fault("location", "half_a_point"))
        return None
    if not (-90 <= place.lat <= 90 and -180 <= place.lng <= 180):
        faults.append(Fault("location", "no_such_point"))
        return None
    if place.datum not in DATUMS:
        faults.append(Fault("location.datum", "unknown_datum", (("datums", "、".join(DATUMS)),)))
        return None
    if place.accuracy_m is not None and not 0 <= place.accuracy_m <= 1_000_000:
        faults.append(Fault("location.accuracy_m", "no_such_accuracy"))
        return None
    return geodesy.to_wgs84(place.lat, place.lng, place.datum)


def _when(taken_at: datetime | None, at: datetime, faults: list[Fault]) -> datetime | None:
    if taken_at is None:
        return None
    if taken_at.tzinfo is None:
        faults.append(Fault("taken_at", "time_without_zone"))
        return None
    if taken_at > at + AHEAD:
        faults.append(Fault("taken_at", "in_the_future"))
        return None
    if taken_at < OLDEST:
        faults.append(Fault("taken_at", "too_long_ago"))
        return None
    # Whole milliseconds, as the ledger's bytes hold it.
    return taken_at.replace(microsecond=taken_at.microsecond // 1000 * 1000)
