"""The visits that are owed (三查三访): whom to call next, how often he was tried, and what to ask."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import world
from fuzhengtong.visits import queries as visits_queries
from fuzhengtong.web.desk import forms, frame, inbox, shown
from fuzhengtong.web.desk.gate import desk_page
from fuzhengtong.web.moment import language_of

# Which step makes a visit of a kind.
STEP_OF = {"progress_visit": "progress_visit", "satisfaction_visit": "visit", "hard_visit": "hard_visit"}


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call that is owed, as the list shows it."""

    row: shown.ListRow
    kind: str
    due: str
    is_late: bool
    attempts: int


@desk_page()
def visits(request: HttpRequest, moment: Moment) -> HttpResponse:
    """GET /desk/visits/: the calls this centre owes, the next due first."""
    owed = visits_queries.calls(viewer=moment.by)
    shown.warm([call.case for call in owed], moment)
    lang = language_of(request)
    calls = []
    for call in owed:
        word, appeal = STEP_OF.get(call.kind, "visit"), str(call.appeal_id or "")
        href = inbox.address("desk-case", call.case.number, queue="open", do=word, appeal=appeal) + "#do"
        calls.append(
            CallRow(
                row=shown.list_row(call.case, href=href, moment=moment, lang=lang),
                kind=world.texts().say(f"duty.{call.kind}", lang),
                due=shown.instant(call.due_at, moment, lang, ends=True),
                is_late=call.due_at <= moment.at,
                attempts=call.attempts,
            )
        )
    charter = moment.charter
    context = {
        "calls": calls,
        "late": sum(call.is_late for call in calls),
        "script": [_(sentence) for sentence in forms.BY_WORD["visit"].script],
        "checks": charter.visits.three_checks_en if lang == "en" else charter.visits.three_checks,
        "attempts": charter.visits.attempts,
        "open_days": charter.visits.rating_open_days,
        "may_visit": moment.by.post_kind == "visitor",
        "keys": [],
    }
    return frame.page(request, moment, "visits.html", "desk-visits", context)
