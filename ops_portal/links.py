"""Which links people may leave for each other to follow."""

from __future__ import annotations

from django.core.validators import URLValidator

#: http or https, nothing that runs in the page.
WEB_LINK = URLValidator(schemes=["http", "https"], message="Give a link that starts with https:// or http://.")
