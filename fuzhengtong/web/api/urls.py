"""Addresses of the public interface, version 1."""

from django.urls import path

from fuzhengtong.web.api import views

urlpatterns = [
    path("appeals", views.appeals),
    path("uploads", views.uploads),
    path("health", views.health),
]
