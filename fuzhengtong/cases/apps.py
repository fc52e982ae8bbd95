from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "fuzhengtong.cases"
    label = "cases"
