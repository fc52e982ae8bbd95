from django.apps import AppConfig


class VisitsConfig(AppConfig):
    name = "fuzhengtong.visits"
    label = "visits"
