"""The receipt of a telling: number, query code, square code, what happens next; and the proof that it still stands."""

from __future__ import annotations

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.kernel import numbers
from fuzhengtong.web.moment import language_of
from fuzhengtong.web.resident import promises, story, wording
from fuzhengtong.web.resident.held import Held, holding

# Eight signs of the fingerprint name one entry among four thousand million: enough to compare by eye.
SHORTEST = 8


def square(address: str) -> SafeString:
    """Draw an address as a QR code: inline SVG without styles, with its meaning in words."""
    drawn = segno.make(address, error="m", micro=False).svg_inline(
        border=4, dark="#000", light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
    return format_html(
        '<figure class="qr" role="img" aria-label="{}">{}</figure>',
        _("二维码：打开这件事的进度"),
        mark_safe(drawn),  # noqa: S308 - our own drawing
    )


def fingerprint(receipt: str) -> list[str]:
    """Cut a hash into groups of four."""
    return [receipt[at : at + 4] for at in range(0, len(receipt), 4)]


def emergency_lines(text: str, moment: Moment, lang: str) -> list[dict[str, str]]:
    """Return the numbers to call at once where a telling speaks of danger to life; else none."""
    charter = moment.charter
    if not charter.redlines.found("critical", text):
        return []
    english = lang == "en"
    return [
        {"number": contact.number, "name": contact.name_en if english else contact.name}
        for contact in charter.contacts
        if contact.kind in ("police", "fire", "ambulance")
    ]


def names_for(held: Held) -> dict[int, str]:
    """Return the names of the offices that a page of this appeal speaks of. One statement."""
    return {row.office_id: row.name for row in directory_queries.offices(ids=story.office_ids(held))}


@require_safe
@holding
def receipt(request: HttpRequest, held: Held) -> HttpResponse:
    """/q/<code>/receipt/: the receipt, to save or print."""
    lang, names = language_of(request), names_for(held)
    progress = request.build_absolute_uri(reverse("progress", kwargs={"code": held.code}))
    telling = wording.telling_of(held.moment, lang)
    case = held.case
    context = {
        "held": held,
        "number": numbers.grouped(held.telling.number),
        "code": numbers.grouped_code(held.code),
        "square": square(progress),
        "address": progress,
        "headline": cases_queries.headline(held.telling.text),
        "place": held.telling.place,
        "received": wording.dated(held.telling.received_at, telling),
        "files": len(held.files),
        "fingerprint": fingerprint(held.receipt),
        "coming": promises.coming(held, names=names, lang=lang),
        "office": names.get(case.office_id or 0, ""),
        "desk": names.get(case.desk_id, ""),
        "danger": emergency_lines(held.telling.text, held.moment, lang),
        "has_phone": bool(held.telling.masked_phone),
        "hotline": held.moment.charter.contact("hotline"),
    }
    return render(request, "resident/receipt.html", context)


@require_safe
@holding
def verify(request: HttpRequest, held: Held) -> HttpResponse:
    """/q/<code>/verify/: check the receipt's fingerprint against the ledger, or one typed from paper."""
    lang = language_of(request)
    typed = "".join(request.GET.get("fingerprint", "").split()).lower()[:64]
    own = held.receipt
    matches = not typed or (len(typed) >= SHORTEST and own.startswith(typed))
    proof = cases_queries.proof(appeal_id=held.appeal_id, receipt=own)
    context = {
        "held": held,
        "number": numbers.grouped(held.telling.number),
        "fingerprint": fingerprint(own),
        "typed": typed,
        "matches": matches,
        "stands": proof.stands and matches,
        "proof": proof,
        "since": wording.instant(proof.at, wording.telling_of(held.moment, lang)) if proof.at else "",
    }
    return render(request, "resident/verify.html", context)
