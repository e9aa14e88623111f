"""A limit on requests per token: a fixed window of a minute, counted in the cache before anything else is done.

Counted by the header as it was sent, so that a flood with an unknown token costs no query either. With the default
cache each web process counts for itself; a shared one (Redis) makes the limit one of the whole portal.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import blake2b
from threading import Lock

from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, cache, caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, JsonResponse

from ops_portal.errors import error_body

WINDOW = 60


class RateLimit:
    """Middleware: answers 429 to a token that has used up this minute; `API_RATE_PER_MINUTE = 0` takes it out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.API_RATE_PER_MINUTE:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        authorization = request.META.get("HTTP_AUTHORIZATION", "")
        refusal = refuse(authorization) if authorization and request.path_info.startswith("/api/v1/") else None
        return refusal or self.get_response(request)


def refuse(authorization: str) -> JsonResponse | None:
    """Count a request with this `Authorization` header; return the answer when there were too many, else None."""
    limit = settings.API_RATE_PER_MINUTE
    if not limit:
        return None
    now = time.time()
    if count(authorization, now) <= limit:
        return None
    wait = max(1, round(WINDOW - now % WINDOW + 0.5))
    message = f"More than {limit:,} requests in a minute with this token. Try again in {wait} s, or send batches."
    return JsonResponse(error_body("rate_limited", message), status=429, headers={"Retry-After": str(wait)})


def count(header: str, now: float) -> int:
    """Count a request and return how many there were in this window."""
    # A hash: a cache is no place for secrets.
    key = f"rate:{int(now // WINDOW)}:{blake2b(header.encode(errors='replace'), digest_size=16).hexdigest()}"
    if type(caches[DEFAULT_CACHE_ALIAS]) is LocMemCache:  # it would pickle the number each time
        return _here.count(key)
    try:
        return cache.incr(key)
    except ValueError:
        return 1 if cache.add(key, 1, WINDOW) else cache.incr(key)


class Counts:
    """Counts of this process, of the newest window only: keys of an earlier one go with the first of the next."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._window = ""
        self._counts: dict[str, int] = {}

    def count(self, key: str) -> int:
        """Count one for `key`, which begins with its window."""
        window = key.rpartition(":")[0]
        with self._lock:
            if window != self._window:
                self._window, self._counts = window, {}
            self._counts[key] = number = self._counts.get(key, 0) + 1
            return number

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._counts = {}


_here = Counts()
