"""Addresses of the resident's pages."""

from django.urls import path

from fuzhengtong.web.resident import acts, find, pages, progress, receipt, report

urlpatterns = [
    path("", pages.home, name="home"),
    path("report/", report.report, name="report"),
    path("find/", find.find, name="find"),
    path("about/", pages.about, name="about"),
    path("privacy/", pages.privacy, name="privacy"),
    path("design/", pages.design, name="design"),
    path("elder/", pages.elder, name="elder"),
    path("lang/", pages.language, name="lang"),
    path("language/", pages.language),
    path("q/<str:code>/", progress.progress, name="progress"),
    path("q/<str:code>/receipt/", receipt.receipt, name="receipt"),
    path("q/<str:code>/verify/", receipt.verify, name="verify"),
    path("q/<str:code>/who/", progress.who, name="who"),
    path("q/<str:code>/file/<int:file_id>/", progress.file, name="file"),
    path("q/<str:code>/rate/", acts.rate, name="rate"),
    path("q/<str:code>/add/", acts.add, name="add"),
    path("q/<str:code>/answer/", acts.answer, name="answer"),
    path("q/<str:code>/urge/", acts.urge, name="urge"),
    path("q/<str:code>/place/", acts.place, name="place"),
    path("q/<str:code>/withdraw/", acts.withdraw, name="withdraw"),
]
