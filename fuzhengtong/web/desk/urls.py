"""Addresses of the desks. Every view stands behind `gate.desk_page`, but for coming in and going out."""

from __future__ import annotations

from django.urls import path

from fuzhengtong.web.desk import (
    case,
    dispatching,
    figures,
    inbox,
    me,
    opening,
    people,
    places,
    procedure,
    sign_in,
    taking,
    visiting,
    watching,
)

urlpatterns = [
    path("", inbox.inbox, name="desk-inbox"),
    path("queues/", inbox.counts, name="desk-queues"),
    path("find/", inbox.find, name="desk-find"),
    path("brief/", dispatching.brief, name="desk-brief"),
    path("sign-in/", sign_in.sign_in, name="desk-sign-in"),
    path("sign-out/", sign_in.sign_out, name="desk-sign-out"),
    path("post/", sign_in.post, name="desk-post"),
    path("me/", me.me, name="desk-me"),
    path("case/<str:number>/", case.case, name="desk-case"),
    path("case/<str:number>/open/", opening.teller, name="desk-open"),
    path("case/<str:number>/<slug:word>/", taking.take, name="desk-step"),
    path("file/<int:file_id>/", opening.file, name="desk-file"),
    path("dispatch/<str:number>/", dispatching.dispatch, name="desk-dispatch"),
    path("visits/", visiting.visits, name="desk-visits"),
    path("figures/", figures.figures, name="desk-figures"),
    path("procedure/", procedure.procedure, name="desk-procedure"),
    path("notices/", watching.notices, name="desk-notices"),
    path("access/", watching.access, name="desk-access"),
    path("sign-ins/", watching.sign_ins, name="desk-sign-ins"),
    path("people/", people.people, name="desk-people"),
    path("people/<int:principal_id>/", people.person, name="desk-person"),
    path("areas/", places.areas, name="desk-areas"),
    path("reference/", places.reference, name="desk-reference"),
]
