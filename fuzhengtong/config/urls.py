"""All addresses of the ordinary program."""

from django.urls import include, path

from fuzhengtong.web import guard

urlpatterns = [
    path("api/v1/", include("fuzhengtong.web.api.urls")),
    path("desk/", include("fuzhengtong.web.desk.urls")),
    path("", include("fuzhengtong.web.resident.urls")),
]
handler400 = guard.unreadable
handler403 = guard.forbidden
handler404 = guard.not_found
handler500 = guard.failed
