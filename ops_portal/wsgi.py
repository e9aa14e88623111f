"""The WSGI entry point: `granian --interface wsgi ops_portal.wsgi:application`."""

import os
from importlib import import_module
from threading import Thread

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ops_portal.settings")
application = get_wsgi_application()

# River takes seconds to import: pages are served meanwhile, and the first prediction does not wait for it.
Thread(target=import_module, args=(settings.PRELOAD,), daemon=True).start()
