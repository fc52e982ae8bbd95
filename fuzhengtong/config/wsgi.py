"""The WSGI application that granian serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from fuzhengtong.config import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fuzhengtong.config.settings")
logs.configure("web")
application = get_wsgi_application()

# What was loaded at the start stays for ever: looking for garbage in it again and again took a tenth of a request.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 50)
