from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "fuzhengtong.web"
    label = "web"
