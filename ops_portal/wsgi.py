"""The WSGI entry point: `granian --interface wsgi ops_portal.wsgi:application`."""

import os
from importlib import import_module
from threading import Thread

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ops_portal.settings")
_django = get_wsgi_application()

from ops_portal.lean import LeanFront  # noqa: E402 - needs Django to be set up

application = LeanFront(_django, {name: import_string(view) for name, view in settings.LEAN_CALLS.items()})

# River takes seconds to import: pages are served meanwhile, and the first prediction does not wait for it.
Thread(target=import_module, args=(settings.PRELOAD,), daemon=True).start()
