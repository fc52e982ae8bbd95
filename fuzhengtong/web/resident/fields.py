"""What residents' forms send: read strictly, kept as typed, with every fault beside its field.

Pure but for `stage_photos`, which hands uploads to intake. Nothing here decides: a telling is judged by intake's own
rules, a step by the procedure.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import msgspec
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from fuzhengtong.charter.editions import Charter
from fuzhengtong.charter.moment import Moment
from fuzhengtong.connectors.store import Folder
from fuzhengtong.directory import world
from fuzhengtong.intake import actions as intake_actions
from fuzhengtong.intake import rules as intake_rules
from fuzhengtong.intake.pictures import BadFile
from fuzhengtong.intake.rules import Fault
from fuzhengtong.kernel import numbers
from fuzhengtong.web import uploads
from fuzhengtong.web.moment import address_of, language_of
from fuzhengtong.web.rates import count_hit

CHANNEL = "h5"
NOTICE = "privacy-1"
# The name of a field on the page for each field of the rules.
FIELD_OF: Mapping[str, str] = {
    "text": "text",
    "reporter.name": "name",
    "reporter.phone": "phone",
    "principal.name": "other_name",
    "principal.phone": "other_name",
    "location.address": "place",
    "location": "place",
    "location.datum": "place",
    "location.accuracy_m": "place",
    "anonymous": "secrecy",
    "files": "photos",
    "consent": "consent",
}


@dataclass(frozen=True)
class Staged:
    """A file that has arrived and waits for its telling: the token that names it, and its name for the page."""

    token: str
    name: str


@dataclass(frozen=True)
class Given:
    """The telling form as it came, or empty."""

    key: str
    text: str = ""
    place: str = ""
    lat: str = ""
    lng: str = ""
    accuracy: str = ""
    name: str = ""
    phone: str = ""
    whose: str = "self"
    other_name: str = ""
    secrecy: str = "open"
    consent: str = ""
    staged: tuple[Staged, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """Every free text of the form: the screen reads them all, before anything is written."""
        return (self.text, self.place, self.name, self.other_name)

    @property
    def submission(self) -> intake_rules.Submission:
        """The telling as intake takes it."""
        reporter = intake_rules.Person(name=self.name, phone=self.phone)
        other = intake_rules.Person(name=self.other_name) if self.whose == "other" and self.other_name else None
        lat, lng = _number(self.lat), _number(self.lng)
        located = lat is not None and lng is not None
        place = intake_rules.Location(
            address=self.place,
            lat=lat if located else None,
            lng=lng if located else None,
            accuracy_m=_accuracy(self.accuracy) if located else None,
        )
        return intake_rules.Submission(
            channel=CHANNEL,
            text=self.text,
            reporter=reporter if self.name or self.phone else None,
            principal=other,
            location=place if self.place or located else None,
            confidential=self.secrecy == "confidential",
            anonymous=self.secrecy == "anonymous",
            files=tuple(file.token for file in self.staged),
            consent=self.consent,
        )


def _number(text: str) -> float | None:
    with suppress(ValueError):
        value = float(text)
        return value if math.isfinite(value) else None
    return None


def _accuracy(text: str) -> float | None:
    value = _number(text)
    return value if value is not None and 0 <= value <= 1_000_000 else None


def form_key(moment: Moment) -> str:
    """Make the key of one rendered form: whoever sends it twice is answered once."""
    return numbers.query_code(moment.mint.token(16))


def key_of(request: HttpRequest, moment: Moment) -> str:
    """Return the form's key, or a new one where none of ours came."""
    with suppress(numbers.WrongCode):
        return numbers.parse_code(request.POST.get("key", ""))
    return form_key(moment)


def given(request: HttpRequest, moment: Moment) -> Given:
    """Read the telling form as it came."""
    said = request.POST
    secrecy, whose = said.get("secrecy", "open"), said.get("whose", "self")
    return Given(
        key=key_of(request, moment),
        text=said.get("text", ""),
        place=said.get("place", ""),
        lat=said.get("lat", "")[:40],
        lng=said.get("lng", "")[:40],
        accuracy=said.get("accuracy", "")[:40],
        name=said.get("name", ""),
        phone=said.get("phone", ""),
        whose=whose if whose in ("self", "other") else "self",
        other_name=said.get("other_name", ""),
        secrecy=secrecy if secrecy in ("open", "confidential", "anonymous") else "open",
        consent=NOTICE if said.get("consent") == NOTICE else "",
        staged=staged_before(request),
    )


def staged_before(request: HttpRequest) -> tuple[Staged, ...]:
    """Return the files that arrived with an earlier try of the same form."""
    names = request.POST.getlist("staged_name")
    found = []
    for at, token in enumerate(request.POST.getlist("staged")):
        with suppress(numbers.WrongCode):
            found.append(Staged(numbers.parse_code(token), names[at][:80] if at < len(names) else ""))
    return tuple(found)


def uploads_of(request: HttpRequest) -> list[UploadedFile]:
    """Return the files of a form; a field left empty is none."""
    return [file for file in request.FILES.getlist("photos") if file.size]


def body_hash(request: HttpRequest, values: Sequence[str]) -> bytes:
    """Hash what a form says: its values and the bytes of its files, so that the same form again is the same request."""
    digest = hashlib.sha256(msgspec.json.encode(list(values)))
    for file in uploads_of(request):
        own = hashlib.sha256()
        for chunk in file.chunks():
            own.update(chunk)
        digest.update(own.digest())
        file.seek(0)
    return digest.digest()


def faults_of(telling: Given, *, lane: intake_rules.Lane | None, charter: Charter, moment: Moment) -> list[Fault]:
    """List what is wrong with a telling, before anything is written."""
    faults: list[Fault] = []
    if lane is not None and lane.asks_consent and not telling.consent:
        faults.append(Fault("consent", "consent_missing"))
    if telling.whose == "other" and not telling.other_name.strip() and telling.secrecy != "anonymous":
        faults.append(Fault("principal.name", "other_name_missing"))
    try:
        intake_rules.check(telling.submission, lane=lane, charter=charter, at=moment.at)
    except intake_rules.BadInput as bad:
        faults += bad.faults
    return faults


def stage_photos(
    request: HttpRequest, before: tuple[Staged, ...], moment: Moment
) -> tuple[tuple[Staged, ...], list[str]]:
    """Hand a form's files to intake; return what has arrived by now, and a sentence for each that has not.

    Raises TooMany where the address sends more than the charter's rate.
    """
    lang, limits = language_of(request), moment.charter.uploads
    refused: list[str] = []
    arrived = list(before)
    for file in uploads_of(request):
        if len(arrived) >= limits.count:
            refused.append(world.texts().say("input.too_many_files", lang, limit=limits.count))
            break
        count_hit(f"upload|{address_of(request)}", moment.charter.rates.upload_per_address, moment)
        try:
            token = intake_actions.stage(data=file, name=file.name or "", moment=moment, store=Folder(settings.STORE))
        except BadFile as bad:
            refused.append(file_sentence(bad, lang))
        else:
            arrived.append(Staged(token, (file.name or "")[:80]))
    refused += [uploads.sentence_of(left, lang) for left in uploads.left_of(request)]
    return tuple(arrived), list(dict.fromkeys(refused))


def file_sentence(bad: BadFile, lang: str) -> str:
    """Say what is wrong with a file."""
    facts = {"limit": "", **bad.params}
    key = f"refusal.bad_file.{facts.get('why')}"
    known = key in world.texts().keys("refusal.bad_file.")
    return world.texts().say(key if known else "refusal.bad_file", lang, **facts)


def said(faults: Sequence[Fault], lang: str) -> dict[str, str]:
    """Say the faults by the name of the field on the page; several of one field in one sentence after the other."""
    found: dict[str, list[str]] = {}
    for fault in faults:
        name = FIELD_OF.get(fault.field, fault.field)
        sentence = world.texts().say(f"input.{fault.key}", lang, **dict(fault.facts))
        if sentence not in found.setdefault(name, []):
            found[name].append(sentence)
    return {name: " ".join(sentences) for name, sentences in found.items()}


# --- the small forms of the progress page ------------------------------------------------------------------------


@dataclass(frozen=True)
class Words:
    """One text of a small form, cleaned; `fault` is what is wrong with it."""

    typed: str
    clean: str = ""
    fault: Fault | None = None


def words(request: HttpRequest, name: str, *, limit: int, needed: str = "") -> Words:
    """Read one text; `needed` is the key of the fault where it may not be empty."""
    typed = request.POST.get(name, "")
    if "\x00" in typed:
        return Words(typed=typed.replace("\x00", ""), fault=Fault(name, "broken_characters"))
    clean = intake_rules.clean(typed)
    if len(clean) > limit:
        return Words(typed, clean, Fault(name, "too_long", (("limit", limit), ("length", len(clean)))))
    if needed and not clean:
        return Words(typed, clean, Fault(name, needed))
    return Words(typed, clean)


@dataclass(frozen=True)
class Small:
    """A small form as the page shows it again: its key, what was typed, what has arrived, what is wrong."""

    key: str
    values: Mapping[str, str] = field(default_factory=dict)
    staged: tuple[Staged, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)

    def with_errors(self, errors: Mapping[str, str]) -> Small:
        """Return the same form with what is wrong."""
        return replace(self, errors={**self.errors, **errors})
