from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    name = "fuzhengtong.directory"
    label = "directory"
