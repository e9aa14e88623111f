"""`GET /metrics`: the portal's state for Prometheus."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from models_registry.selectors.exposition import PortalCollector

_registry = CollectorRegistry()
PlatformCollector(registry=_registry)
ProcessCollector(registry=_registry)
_registry.register(PortalCollector())


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Give the numbers to whoever has `METRICS_TOKEN` or signs in as a superuser: they name every project."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    by_token = bool(settings.METRICS_TOKEN) and constant_time_compare(given, settings.METRICS_TOKEN)
    if not by_token and not request.user.is_superuser:
        text = "Send Authorization: Bearer <METRICS_TOKEN>, as set in the portal's environment.\n"
        return HttpResponse(text, status=401, content_type="text/plain", headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(generate_latest(_registry), content_type=CONTENT_TYPE_LATEST)
