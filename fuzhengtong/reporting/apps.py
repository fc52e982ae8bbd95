from django.apps import AppConfig


class ReportingConfig(AppConfig):
    name = "fuzhengtong.reporting"
    label = "reporting"
