"""What the three administrators look at: what went out to whom, who opened what, who signed in. Nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from fuzhengtong.accounts import queries as accounts_queries
from fuzhengtong.accounts import rules as accounts_rules
from fuzhengtong.charter.moment import Moment
from fuzhengtong.kernel import numbers, typed
from fuzhengtong.mailroom import queries as mailroom_queries
from fuzhengtong.people import queries as people_queries
from fuzhengtong.web.desk import frame, inbox, lines, names, shown
from fuzhengtong.web.desk.gate import desk_page
from fuzhengtong.web.moment import language_of

PAGE = 50
LOOKED_BACK = timedelta(days=1)
GIVEN_UP = "set_aside"
# Whoever looks for an attack looks for these.
BAD = frozenset({"wrong", "locked", "disabled", "code_wrong"})


@desk_page("see_notices")
def notices(request: HttpRequest, moment: Moment) -> HttpResponse:
    """GET /desk/notices/: the newest notices, masked; or those that were given up."""
    lang = language_of(request)
    kind = request.GET.get("kind", "")
    before = request.GET.get("before", "")
    if kind == GIVEN_UP:
        rows = mailroom_queries.set_aside(before=typed.instant(before), limit=PAGE)
        last = rows[-1].set_aside_at.isoformat() if len(rows) == PAGE and rows[-1].set_aside_at else ""
    else:
        rows = mailroom_queries.newest(before=typed.number(before), limit=PAGE)
        last = str(rows[-1].parcel_id) if len(rows) == PAGE else ""
    names.offices([row.seat[0] for row in rows], moment.at)
    listed = []
    for row in rows:
        topic, audience = topic_words(row.topic, lang)
        listed.append(
            {
                "at": row.at,
                "topic": topic,
                "audience": audience,
                "rung": _word("rung", row.rung, lang),
                "subject": _number(row.subject),
                "to": row.address
                or f"{names.office_name(row.seat[0], moment.at)} {lines.say(f'post.{row.seat[1]}', lang)}".strip(),
                "outcome": _word("parcel", row.outcome or "waiting", lang),
                "is_bad": row.set_aside_at is not None,
                "tries": row.tries,
                "when": row.sent_at or row.set_aside_at or row.not_before,
            }
        )
    backlog = mailroom_queries.backlog(at=moment.at, since=moment.at - LOOKED_BACK)
    context = {
        "rows": listed,
        "kind": kind,
        "due": [(_word("rung", rung, lang), n) for rung, n in backlog.due.items()],
        "failed": [(_word("parcel", outcome, lang), n) for outcome, n in backlog.failed.items()],
        "later_n": backlog.later,
        "oldest": shown.instant(backlog.oldest, moment, lang) if backlog.oldest else "",
        "later": inbox.address("desk-notices", kind=kind, before=last) if last else "",
        "all_href": inbox.address("desk-notices"),
        "bad_href": inbox.address("desk-notices", kind=GIVEN_UP),
    }
    return frame.page(request, moment, "notices.html", "desk-notices", context)


def topic_words(topic: str, lang: str) -> tuple[str, str]:
    """Say what a notice is about and for whom, of a topic such as `notice.assign.office`; never the topic itself."""
    word, _dot, audience = topic.removeprefix("notice.").partition(".")
    about = lines.say(f"desk.topic.{word}", lang) or lines.say(f"step.{word}.name", lang)
    return about or _("别的事"), lines.say(f"desk.audience.{audience}", lang)


def _word(group: str, code: str, lang: str) -> str:
    return lines.say(f"desk.{group}.{code}", lang) or _("别的")


def _number(subject: str) -> str:
    """Show a case number in groups; a notice about several cases has none."""
    try:
        return numbers.grouped(numbers.parse(subject))
    except numbers.WrongNumber:
        return ""


@desk_page("see_access")
def access(request: HttpRequest, moment: Moment) -> HttpResponse:
    """GET /desk/access/: who opened masked data, when and why, the newest first."""
    before = typed.instant(request.GET.get("before", ""))
    rows = people_queries.openings(before=before, limit=PAGE)
    people = accounts_queries.people([row.principal_id for row in rows if row.principal_id])
    names.offices([row.office_id for row in rows], moment.at)
    fields = {"name": _("姓名"), "phone": _("号码")}
    listed = [
        {
            "at": row.at,
            "who": people[row.principal_id].name if row.principal_id in people else "",
            "office": names.office_name(row.office_id, moment.at),
            "fields": _("、").join(fields.get(one) or _("别的") for one in row.fields.split(",")),
            "reason": row.reason,
            "appeal": str(row.appeal_id),
        }
        for row in rows
    ]
    later = inbox.address("desk-access", before=rows[-1].at.isoformat()) if len(rows) == PAGE else ""
    return frame.page(request, moment, "access.html", "desk-access", {"rows": listed, "later": later})


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list of sign-ins is narrowed to, as the address says it; what is unreadable is left out."""

    login: str
    outcome: str
    day: str

    def words(self) -> dict[str, str]:
        return {"login": self.login, "outcome": self.outcome, "day": self.day}


def _asked(request: HttpRequest) -> Asked:
    outcome = request.GET.get("outcome", "")
    day = request.GET.get("day", "").strip()[:10]
    return Asked(
        login=request.GET.get("login", "").strip()[:64],
        outcome=outcome if outcome in {one.value for one in accounts_rules.Outcome} else "",
        day=day if _day(day) else "",
    )


def _day(text: str) -> date | None:
    """Read a day; one that no log can hold is none."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2200 else None


def _span(day: date | None, moment: Moment) -> tuple[datetime | None, datetime | None]:
    """Return where a day of the city begins and ends; nothing for no day."""
    if day is None:
        return None, None
    zone = moment.charter.clock.zone
    begins = datetime.combine(day, time.min, zone)
    return begins, datetime.combine(day + timedelta(days=1), time.min, zone)


@desk_page("see_sign_ins")
def sign_ins(request: HttpRequest, moment: Moment) -> HttpResponse:
    """GET /desk/sign-ins/: all attempts and changes of what lets people in, the newest first.

    `login`, `outcome` and `day` narrow the list; `after` is the key of the next page.
    """
    asked = _asked(request)
    account = accounts_queries.person_by_login(asked.login) if asked.login else None
    since, until = _span(_day(asked.day), moment)
    rows = []
    if account or not asked.login:
        rows = accounts_queries.attempts(
            principal_id=account.principal_id if account else None,
            outcome=asked.outcome,
            since=since,
            until=until,
            before=typed.place(request.GET.get("after", "")),
            limit=PAGE + 1,
        )
    more, rows = len(rows) > PAGE, rows[:PAGE]
    people = accounts_queries.people({row.principal_id for row in rows if row.principal_id})
    listed = [
        {
            "at": row.at,
            # Under a login nobody has people type passwords: it is kept as a hash, and said in words.
            "login": row.login if row.principal_id else "",
            "name": people[row.principal_id].name if row.principal_id in people else "",
            "href": inbox.address("desk-sign-ins", login=row.login) if row.principal_id else "",
            "address": row.address,
            "word": frame.say(request, f"sign_in.{row.outcome}"),
            "is_bad": row.outcome in BAD,
        }
        for row in rows
    ]
    outcomes = [("", _("全部"))] + [(one.value, frame.say(request, f"sign_in.{one}")) for one in accounts_rules.Outcome]
    context = {
        "asked": asked,
        "account": account,
        "rows": listed,
        "outcomes": outcomes,
        "is_narrowed": any(asked.words().values()),
        "clear": inbox.address("desk-sign-ins"),
        "first": inbox.address("desk-sign-ins", **asked.words()) if "after" in request.GET else "",
        "later": inbox.address(
            "desk-sign-ins", **asked.words(), after=f"{rows[-1].at.isoformat()}_{rows[-1].attempt_id}"
        )
        if more
        else "",
    }
    return frame.page(request, moment, "sign_ins.html", "desk-sign-ins", context)
