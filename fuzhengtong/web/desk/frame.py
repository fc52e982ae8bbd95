"""What stands around every page of a desk: where one is, which desks there are, who one is.

`page` renders a template of this folder with that frame. Called by every view here; it reads names and nothing else.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from fuzhengtong.cases import permits
from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.charter.moment import Actor, Moment
from fuzhengtong.directory import world
from fuzhengtong.web.desk import names
from fuzhengtong.web.moment import language_of


def say(request: HttpRequest, key: str, **facts: object) -> str:
    """Say a sentence in the language of the page."""
    return world.texts().say(key, language_of(request), **facts)


def post_word(request: HttpRequest, kind: str, name: str) -> str:
    """Say a post: by the name the city gave it, or by the word for its kind where it has none of its own."""
    usual = world.texts().say(f"post.{kind}")
    return name if name and name != usual else say(request, f"post.{kind}")


def nav_of(viewer: Actor) -> list[tuple[str, str]]:
    """List the desks a post has, its first page first: name of the route, and its word."""
    found: list[tuple[str, str]] = []
    if viewer.post_kind == "visitor":
        # The calls that are owed are his work; no queue of cases says how many they are.
        found.append(("desk-visits", _("回访")))
    if viewer.post_kind in cases_queries.QUEUES:
        found.append(("desk-inbox", _("收件台")))
    for permit, route, word in (
        ("see_figures", "desk-figures", _("指标")),
        ("edit_people", "desk-people", _("人员和岗位")),
        ("edit_reference", "desk-areas", _("区域")),
        ("edit_reference", "desk-reference", _("资料")),
        ("see_notices", "desk-notices", _("通知")),
        ("see_access", "desk-access", _("谁看过")),
        ("see_sign_ins", "desk-sign-ins", _("登录记录")),
    ):
        if permits.may(permit, viewer):
            found.append((route, word))
    if viewer.post_kind not in cases_queries.QUEUES:
        # Where there are queues, the way to the procedure stands below them.
        found.append(("desk-procedure", _("程序")))
    return found


def around(request: HttpRequest, moment: Moment, here: str) -> dict[str, Any]:
    """Return the context of the layout `base/desk.html`."""
    by = moment.by
    office = names.offices([by.office], moment.at).get(by.office or 0)
    post = say(request, f"post.{by.post_kind}") if by.post_kind else ""
    nav = [(_address(route, by), word, route == here) for route, word in nav_of(by) if _known(route)]
    finds = by.post_kind in cases_queries.QUEUES
    return {
        "where": (office.short or office.name) if office else "",
        "where_post": post,
        "nav": nav,
        "person": format_html('<a href="{}">{}</a>', reverse("desk-me"), by.name),
        "viewer": by,
        "home_url": nav[0][0],
        "sign_out_url": reverse("desk-sign-out"),
        "find_url": reverse("desk-find") if finds else "",
        "at": moment.at,
        # Said below the queues and at the foot of a page: the bar has no room for it beside the desks.
        "demo": False,
        "made": settings.DEMO,
    }


def page(
    request: HttpRequest, moment: Moment, template: str, here: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Render a page of a desk inside its frame."""
    return render(request, f"desk/{template}", around(request, moment, here) | context, status=status)


def part(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Render a part of a page that a script fetches."""
    return render(request, f"desk/{template}", context)


def _address(route: str, by: Actor) -> str:
    """Return the address of a desk; the inbox with its first queue where it is not the first page of the post."""
    if route == "desk-inbox" and nav_of(by)[0][0] != route:
        return f"{reverse(route)}?queue={cases_queries.QUEUES[by.post_kind][0]}"
    return reverse(route)


def _known(route: str) -> bool:
    try:
        reverse(route)
    except NoReverseMatch:
        return False
    return True
