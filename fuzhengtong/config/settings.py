"""The one settings file, read from the environment by small typed readers that fail loudly and name the variable.

`config.cli` and the tests set DATABASE_URL before Django starts; nothing here opens a connection or starts a process.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from fuzhengtong.charter import load
from fuzhengtong.config import home as homes
from fuzhengtong.config.home import SettingRefused

PACKAGE = Path(__file__).resolve().parent.parent
ROOT = PACKAGE.parent
KEY_BYTES = 32


def _text(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def _flag(name: str, default: bool) -> bool:
    value = _text(name).strip().lower()
    if value in ("", "1", "on", "true", "yes", "0", "off", "false", "no"):
        return default if value == "" else value in ("1", "on", "true", "yes")
    raise SettingRefused(f"{name} 应为 on 或 off，不是 {value!r}。", f"{name} must be on or off, not {value!r}.")


def _number(name: str, default: int) -> int:
    value = _text(name).strip()
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise SettingRefused(f"{name} 应为整数，不是 {value!r}。", f"{name} must be a whole number, not {value!r}.")
    return int(value)


def _folder(name: str, usual: str) -> Path:
    path = Path(_text(name) or load.find_folder(usual))
    if not path.is_dir():
        raise SettingRefused(f"{name} 指定的 {path} 不是目录。", f"{name} names {path}, which is no folder.")
    return path


def database_of(url: str, name: str = "DATABASE_URL") -> dict[str, object]:
    # What is wrong is said without the address, which holds a password.
    try:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        port = query.get("port") or str(parts.port or "")
        sound = all(int(one) <= 65535 for one in port.split(",") if one)
    except ValueError:
        raise SettingRefused(
            f"{name} 里的端口或主机读不懂。", f"{name} has a host or port that cannot be read."
        ) from None
    if parts.scheme not in ("postgres", "postgresql"):
        raise SettingRefused(f"{name} 应以 postgresql:// 开头。", f"{name} must begin with postgresql://.")
    if not parts.path.strip("/") or not sound:
        raise SettingRefused(
            f"{name} 应写成 postgresql://用户:密码@主机:端口/数据库。",
            f"{name} must be written as postgresql://user:password@host:port/database.",
        )
    options: dict[str, object] = {"connect_timeout": 5, "application_name": PROGRAM_NAME}
    if POOL_SIZE:
        options["pool"] = {"min_size": 1, "max_size": POOL_SIZE, "timeout": 3}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", parts.hostname or ""),
        "PORT": port,
        "CONN_MAX_AGE": 0 if POOL_SIZE else None,
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": options,
    }


TESTING = _flag("FUZHENGTONG_TESTING", False)
DEBUG = False
HOME = homes.usual()
POOL_SIZE = _number("FUZHENGTONG_POOL_SIZE", 0)
RATE_LIMITS = _flag("FUZHENGTONG_RATE_LIMITS", True)
DEMO = _flag("FUZHENGTONG_DEMO", False)
CHARTERS = _folder("FUZHENGTONG_CHARTERS", "charters/fuxin")
TEXTS = _folder("FUZHENGTONG_TEXTS", "texts")
STORE = Path(_text("FUZHENGTONG_STORE") or HOME.store)
# Behind a proxy that sets X-Forwarded-For by itself, and only then, the caller's address is read from it.
TRUST_PROXY = _flag("FUZHENGTONG_TRUST_PROXY", False)
# The same proxy says whether the browser came by HTTPS: a form's origin is compared with it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUST_PROXY else None
HTTPS = _flag("FUZHENGTONG_HTTPS", False)


def _keys() -> dict[str, object]:
    """Read the city's keys: FUZHENGTONG_KEYS (JSON of hex keys), else the home's own, made at first use."""
    given, name = _text("FUZHENGTONG_KEYS"), "FUZHENGTONG_KEYS"
    if not given:
        HOME.prepare()
        name = str(HOME.secrets / "keys.json")
        given = HOME.secret(
            "keys.json",
            make=lambda: json.dumps({"keys": {"1": _random().hex()}, "current": 1, "index_key": _random().hex()}),
        )
    try:
        held = json.loads(given)
        keys = {int(number): bytes.fromhex(key) for number, key in held["keys"].items()}
        current, index_key = int(held["current"]), bytes.fromhex(held["index_key"])
        fits = current in keys and {len(key) for key in (*keys.values(), index_key)} == {KEY_BYTES}
    except (ValueError, LookupError, TypeError, AttributeError):
        fits = False
    if not fits:  # said without a word of what was found there
        raise SettingRefused(
            f"{name} 读不懂：应为 docs/how-to/keys.md 所写的 JSON，每把密钥 64 个十六进制字符。",
            f"{name} cannot be read: it is JSON as in docs/how-to/keys.md, with 64 hex digits for each key.",
        )
    return {"keys": keys, "current": current, "index_key": index_key}


def _random() -> bytes:
    return os.urandom(KEY_BYTES)


FUZHENGTONG_KEYS = _keys()
# Every connection says which key its program wraps with: `rewrap` waits for those that do not know the current one.
PROGRAM_NAME = f"fuzhengtong key {FUZHENGTONG_KEYS['current']}"
SECRET_KEY = (
    _text("FUZHENGTONG_SECRET_KEY")
    or hashlib.sha256(
        b"django|" + FUZHENGTONG_KEYS["index_key"]  # type: ignore[operator]
    ).hexdigest()
)

# Without a database the settings can still be read (checks, documents, migrations on paper).
_URL = _text("DATABASE_URL") or "postgresql://nobody@/nothing?host=/nonexistent"
_JOBS = _text("DATABASE_JOBS_URL") == _URL  # the long work is led to it by the command line
DATABASES = {"default": database_of(_URL, "DATABASE_JOBS_URL" if _JOBS else "DATABASE_URL")}

ALLOWED_HOSTS = _text("FUZHENGTONG_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
ROOT_URLCONF = "fuzhengtong.config.urls"
WSGI_APPLICATION = "fuzhengtong.config.wsgi.application"
INSTALLED_APPS = [
    "fuzhengtong.accounts",
    "fuzhengtong.directory",
    "fuzhengtong.people",
    "fuzhengtong.mailroom",
    "fuzhengtong.cases",
    "fuzhengtong.intake",
    "fuzhengtong.dispatch",
    "fuzhengtong.visits",
    "fuzhengtong.oversight",
    "fuzhengtong.notices",
    "fuzhengtong.reporting",
    "fuzhengtong.web",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "fuzhengtong.web.guard.Headers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "fuzhengtong.web.guard.Refusals",
    "fuzhengtong.web.moment.Moments",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "web" / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "fuzhengtong.web.moment.on_every_page",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "fuzhengtong.web.templatetags.say"],
        },
    }
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [PACKAGE / "web" / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
# Served as they lie in the package: nothing is collected and nothing is built at run time.
STATIC_ROOT = PACKAGE / "web" / "static"
WHITENOISE_MAX_AGE = 3600

# ASVS 3.3: host-bound cookies wherever the site is reached by HTTPS; plain names on a loopback trial.
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_USE_SESSIONS = False
CSRF_FAILURE_VIEW = "fuzhengtong.web.guard.csrf_refused"
LANGUAGE_COOKIE_NAME = "lang"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

# Fields and their number are bounded here; files by the charter, as they arrive (ASVS 5.2.1).
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
# Far more than the charter takes: one too many is read past with a sentence, and costs nobody his words.
DATA_UPLOAD_MAX_NUMBER_FILES = 100
FILE_UPLOAD_HANDLERS = ["fuzhengtong.web.uploads.Arriving"]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGGING_CONFIG = None
SILENCED_SYSTEM_CHECKS: list[str] = []
