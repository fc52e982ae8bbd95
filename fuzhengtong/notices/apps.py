from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "fuzhengtong.notices"
    label = "notices"
