from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "fuzhengtong.people"
    label = "people"
