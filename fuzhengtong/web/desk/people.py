"""The security administrator's pages: who is let in, which posts he holds, and how he gets in again.

An administrator starts a reset and never chooses a password: the platform makes one, shows it once, and its owner
changes it. That the three administrators stay three people is a rule of the directory, and refused there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from fuzhengtong.accounts import actions as accounts_actions
from fuzhengtong.accounts import queries as accounts_queries
from fuzhengtong.accounts import rules as accounts_rules
from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import actions as directory_actions
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.kernel import typed
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.web import guard
from fuzhengtong.web.desk import forms, frame, inbox, names
from fuzhengtong.web.desk.gate import desk_page
from fuzhengtong.web.moment import language_of

MOST = 40
LOG = 10
NAME_LENGTH = 60
REASON_LENGTH = 200


def made_password(moment: Moment) -> str:
    """Make a password that nobody chose: 100 random bits in groups that can be read out."""
    text = accounts_rules.secret_text(moment.mint.token(13)).lower()[:20]
    return "-".join(text[n : n + 5] for n in range(0, 20, 5))


@desk_page("edit_people", methods=("GET", "POST"))
def people(request: HttpRequest, moment: Moment) -> HttpResponse:
    """GET and POST /desk/people/: find a person by login or by office, and let a new one in."""
    context: dict[str, Any] = {}
    status = 200
    if request.method == "POST":
        login = request.POST.get("login", "").strip()[:64]
        name = forms.short(request.POST.get("name", ""), NAME_LENGTH)
        password = made_password(moment)
        try:
            principal_id = accounts_actions.create_principal(login=login, name=name, password=password, moment=moment)
        except Refused as refused:
            context = {"sentence": guard.sentence_of(refused, language_of(request)), "login": login, "name": name}
            status = guard.status_of(refused)
        else:
            context = {"made_password": password, "made_login": login, "made_href": _href(principal_id)}
    asked = request.GET.get("q", "").strip()[:60]
    if asked and (found := accounts_queries.person_by_login(asked)):
        return HttpResponseRedirect(_href(found.principal_id))
    office_id = typed.number(request.GET.get("office", ""))
    office = names.offices([office_id], moment.at).get(office_id) if office_id else None
    offices = [row for row in names.all_offices(moment.at) if asked and (asked in row.name or asked in row.short)]
    context |= {
        "asked": asked,
        "offices": [(inbox.address("desk-people", office=str(row.office_id)), row.name) for row in offices[:MOST]],
        "office": office,
        "posts": _posts(request, office.office_id, moment) if office else [],
    }
    return frame.page(request, moment, "people.html", "desk-people", context, status=status)


def _href(principal_id: int) -> str:
    return reverse("desk-person", kwargs={"principal_id": principal_id})


def _posts(request: HttpRequest, office_id: int, moment: Moment) -> list[dict[str, Any]]:
    return [
        {
            "post_id": str(row.post_id),
            "word": frame.post_word(request, row.kind, row.name),
            "holder": (_href(row.holder[0]), row.holder[1]) if row.holder else None,
            "deputies": [(_href(who), name) for who, name in row.deputies],
        }
        for row in directory_queries.posts_in(office_id, at=moment.at)
    ]


def _post_id(request: HttpRequest) -> int:
    found = typed.number(request.POST.get("post", ""))
    if found is None:
        raise directory_actions.PostClosed(post="")
    return found


def _reason(request: HttpRequest) -> str:
    return forms.short(request.POST.get("reason", ""), REASON_LENGTH)


def _hold(request: HttpRequest, moment: Moment, principal_id: int) -> None:
    directory_actions.hold_post(
        post_id=_post_id(request),
        principal_id=principal_id,
        deputy=request.POST.get("deputy") == "1",
        moment=moment,
        reason=_reason(request),
    )


def _leave(request: HttpRequest, moment: Moment, principal_id: int) -> None:
    directory_actions.leave_post(
        post_id=_post_id(request), principal_id=principal_id, moment=moment, reason=_reason(request)
    )


DO: dict[str, Callable[[HttpRequest, Moment, int], None]] = {
    "hold": _hold,
    "leave": _leave,
    "disable": lambda _request, moment, who: accounts_actions.disable_principal(principal_id=who, moment=moment),
    "enable": lambda _request, moment, who: accounts_actions.enable_principal(principal_id=who, moment=moment),
    "drop_code": lambda _request, moment, who: accounts_actions.drop_totp(principal_id=who, moment=moment),
    "end": lambda _request, moment, who: accounts_actions.end_sessions(principal_id=who, moment=moment),
}


@desk_page("edit_people", methods=("GET", "POST"))
def person(request: HttpRequest, moment: Moment, principal_id: int) -> HttpResponse:
    """GET and POST /desk/people/<id>/: one person; give and take posts, close and open the account, reset it."""
    found = accounts_queries.person(principal_id)
    if found is None:
        raise cases_actions.NotFound
    context: dict[str, Any] = {}
    status = 200
    if request.method == "POST":
        try:
            if request.POST.get("do") == "reset":
                password = made_password(moment)
                accounts_actions.set_password(principal_id=principal_id, password=password, moment=moment)
                context = {"made_password": password}
            elif do := DO.get(request.POST.get("do", "")):
                do(request, moment, principal_id)
                return HttpResponseRedirect(_href(principal_id) + "?done=1", status=303)
        except ObjectDoesNotExist as error:
            raise cases_actions.NotFound from error
        except Refused as refused:
            context = {"sentence": guard.sentence_of(refused, language_of(request))}
            status = guard.status_of(refused)
        found = accounts_queries.person(principal_id)
    asked = request.GET.get("q", "").strip()[:60]
    offices = [row for row in names.all_offices(moment.at) if asked and (asked in row.name or asked in row.short)]
    office_id = typed.number(request.GET.get("office", ""))
    office = names.offices([office_id], moment.at).get(office_id) if office_id else None
    context |= {
        "account": found,
        "done": request.GET.get("done") == "1",
        "held": [
            {
                "post_id": str(row.post_id),
                "office": row.office_name,
                "word": frame.post_word(request, row.kind, row.name),
                "deputy": row.deputy,
                "since": row.active_from,
            }
            for row in directory_queries.posts_of(principal_id, at=moment.at)
        ],
        "log": [
            {"at": row.at, "word": frame.say(request, f"sign_in.{row.outcome}"), "address": row.address}
            for row in accounts_queries.attempts_of(principal_id, limit=LOG)
        ],
        "asked": asked,
        "offices": [(f"{_href(principal_id)}?office={row.office_id}#give", row.name) for row in offices[:MOST]],
        "office": office,
        "posts": _posts(request, office.office_id, moment) if office else [],
    }
    return frame.page(request, moment, "person.html", "desk-people", context, status=status)
