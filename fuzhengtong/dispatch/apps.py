from django.apps import AppConfig


class DispatchConfig(AppConfig):
    name = "fuzhengtong.dispatch"
    label = "dispatch"
