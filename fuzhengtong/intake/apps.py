from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "fuzhengtong.intake"
    label = "intake"
