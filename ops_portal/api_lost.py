"""Addresses under /api/v1/ at which there is nothing: they answer like the rest of the API, not with a page."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from ops_portal.errors import error_body


@csrf_exempt  # it changes nothing, and a program should be told what is wrong with the address
def lost(request: HttpRequest, rest: str) -> JsonResponse:
    """Answer 404 in the one shape of errors; a redirect to the address with a slash would lose a body."""
    hint = "" if rest.endswith("/") else " Addresses of the API end with a slash."
    return JsonResponse(error_body("not_found", f"There is nothing at this address.{hint}"), status=404)
