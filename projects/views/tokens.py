"""A project's API tokens."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from projects.access import ADMINISTER, project_page
from projects.forms.projects import TokenForm
from projects.models import Project
from projects.services.tokens import create_token, revoke_token
from projects.views.projects import PAGES, posted, settings_page


@never_cache
@require_http_methods(PAGES)
@project_page(ADMINISTER)
def token_create(request: HttpRequest, project: Project) -> HttpResponse:
    """Make a token. Its secret is in this one answer and kept nowhere, so there is no redirect."""
    form = TokenForm(posted(request))
    if not form.is_bound or not form.is_valid():
        context = {"project": project, "token_form": form}
        return render(request, "projects/token_create.html", context, status=422 if form.is_bound else 200)
    _token, secret = create_token(project=project, actor=cast(User, request.user), **form.cleaned_data)
    return settings_page(request, project, secret=secret)


@require_http_methods(PAGES)
@project_page(ADMINISTER)
def token_revoke(request: HttpRequest, project: Project, pk: int) -> HttpResponse:
    """Ask whether to revoke a token, and do it."""
    token = get_object_or_404(project.tokens, pk=pk)
    if request.method == "POST":
        revoke_token(token=token, actor=cast(User, request.user))
        messages.success(request, f"{token.name} no longer works.")
        return redirect("projects:settings", project.slug)
    return render(request, "projects/token_revoke.html", {"project": project, "token": token})
