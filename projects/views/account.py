"""One's own account."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from ops_portal.errors import UserError
from projects.forms.people import AccountForm, PasswordForm
from projects.forms.refusals import show_refusal
from projects.selectors.people import teams_of
from projects.services.account import set_password, update_account
from projects.views.projects import PAGES, posted


@require_http_methods(PAGES)
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Show and change one's own name and e-mail address."""
    user = cast(User, request.user)
    form = AccountForm(posted(request), initial={"full_name": user.get_full_name(), "email": user.email})
    if form.is_bound and form.is_valid():
        try:
            update_account(actor=user, **form.cleaned_data)
        except UserError as error:
            show_refusal(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("projects:account")
    return _account_page(request, user, form=form)


@sensitive_post_parameters()
@require_http_methods(PAGES)
@login_required
def account_password(request: HttpRequest) -> HttpResponse:
    """Set or change one's own password."""
    user = cast(User, request.user)
    form = PasswordForm(posted(request), user=user)
    if form.is_bound and form.is_valid():
        try:
            set_password(
                actor=user, old=form.cleaned_data.get("old_password", ""), new=form.cleaned_data["new_password"]
            )
        except UserError as error:
            show_refusal(form, error)
        else:
            update_session_auth_hash(request, user)
            messages.success(request, "Your password is set.")
            return redirect("projects:account")
    return _account_page(request, user, password_form=form)


def _account_page(
    request: HttpRequest, user: User, *, form: AccountForm | None = None, password_form: PasswordForm | None = None
) -> HttpResponse:
    context = {
        "form": form or AccountForm(initial={"full_name": user.get_full_name(), "email": user.email}),
        "password_form": password_form or PasswordForm(user=user),
        "teams": teams_of(user),
    }
    refused = any(one is not None and one.is_bound for one in (form, password_form))
    return render(request, "projects/account.html", context, status=422 if refused else 200)
