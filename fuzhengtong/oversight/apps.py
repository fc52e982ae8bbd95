from django.apps import AppConfig


class OversightConfig(AppConfig):
    name = "fuzhengtong.oversight"
    label = "oversight"
