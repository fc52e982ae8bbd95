from django.apps import AppConfig


class MailroomConfig(AppConfig):
    name = "fuzhengtong.mailroom"
    label = "mailroom"
