"""A limit on requests per token: a fixed window of a minute, counted before anything else is done.

Counted by the header as it was sent, so that a flood with an unknown token costs no query either. The count is one of
the whole portal; a process takes a share of it at a time, so that few requests ask for it (decision 20).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import blake2b
from threading import Lock

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, JsonResponse

from ops_portal.errors import error_body
from ops_portal.shared_counts import SharedCounts

WINDOW = 60
#: A process takes a share of this fineness at a time: what it holds and does not use, others cannot give.
SHARES = 200
#: Callers that are remembered at a time, some 10 MB: a flood of made-up tokens is not to fill the memory.
MOST_CALLERS = 50_000


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
    # A hash: what is shared is no place for secrets.
    caller = blake2b(authorization.encode(errors="replace"), digest_size=16).hexdigest()
    if _here.take(caller, int(now // WINDOW), limit):
        return None
    wait = max(1, round(WINDOW - now % WINDOW + 0.5))
    message = f"More than {limit:,} requests in a minute with this token. Try again in {wait} s, or send batches."
    return JsonResponse(error_body("rate_limited", message), status=429, headers={"Retry-After": str(wait)})


class Allowances:
    """What this process may still let through of each caller, in the newest window only.

    Parameters
    ----------
    shared
        Counts what all processes have taken. While it is away, a process takes from the whole limit for itself.

    """

    def __init__(self, shared: SharedCounts) -> None:
        self._shared = shared
        self._lock = Lock()
        self._forget(0)

    def _forget(self, window: int) -> None:
        self._window = window
        self._left: dict[str, int] = {}
        self._taken: dict[str, int] = {}
        self._spent: set[str] = set()

    def _make_room(self) -> None:
        """Forget callers that asked once, and all of them where that is not enough: what was counted stays shared."""
        known = self._taken.keys() | self._spent
        if len(known) > MOST_CALLERS // 2:
            self._forget(self._window)
        else:
            self._left = {caller: left for caller, left in self._left.items() if caller in known}

    def take(self, caller: str, window: int, limit: int) -> bool:
        """Let one request through, or not; `limit` is what a caller has in each window."""
        share = max(1, limit // SHARES)
        with self._lock:
            # One behind: another thread saw the next minute first. Further behind: the clock was set back.
            if window > self._window or window < self._window - 1:
                self._forget(window)
            window = self._window
            if len(self._left) >= MOST_CALLERS:
                self._make_room()
            if caller not in self._left and share > 1:
                self._left[caller] = -1  # owed: made-up tokens, each used once, are not worth asking for
                return True
            left = self._left.get(caller, 0)
            if left > 0:
                self._left[caller] = left - 1
                return True
            if caller in self._spent:
                return False
        count = self._shared.add(f"rate:{window}:{caller}", share, WINDOW)
        with self._lock:
            if window != self._window:
                return True  # the next minute has begun meanwhile
            taken = self._taken.get(caller, 0)
            granted = min(share, limit - (taken if count is None else count - share))
            if granted <= 0:
                self._spent.add(caller)
                return False
            self._taken[caller] = taken + granted
            self._left[caller] = self._left.get(caller, 0) + granted - 1
            return True


_here = Allowances(SharedCounts(settings.SHARED_COUNTS_URL))
