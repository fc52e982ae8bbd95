from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "fuzhengtong.accounts"
    label = "accounts"
