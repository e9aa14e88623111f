"""What becomes of labels: early ones, corrections, and the rule for those that never come."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from ops_portal.errors import UserError
from projects.access import VIEW, WORK, project_page
from projects.forms.labels import LabelDeadlineForm
from projects.forms.refusals import show_refusal
from projects.models import Project
from projects.payload import MISSING
from projects.selectors.labels import COUNTED, label_deadline, labels_overview, overdue_now, wait_in_words
from projects.services.late_labels import check_rule, discard_early_labels, set_label_deadline
from projects.views.projects import PAGES, posted


@require_http_methods(PAGES)
@project_page(VIEW, change=WORK)
def labels(request: HttpRequest, project: Project) -> HttpResponse:
    """Show where the labels stand; preview and change the rule for those that do not come."""
    initial = LabelDeadlineForm.initial_of(label_deadline(project))
    form = LabelDeadlineForm(posted(request), project=project, initial=initial)
    effect = ""
    if form.is_bound and form.is_valid():
        try:
            if request.POST.get("do") != "preview":
                set_label_deadline(project=project, actor=cast(User, request.user), **form.rule())
                messages.success(request, "Saved.")
                return redirect("projects:labels", project.slug)
            effect = _effect(project, **form.rule())
        except UserError as error:
            show_refusal(form, error)
    context = {"project": project, "form": form, "effect": effect, "labels": labels_overview(project)}
    return render(request, "projects/labels.html", context, status=422 if form.is_bound and form.errors else 200)


def _effect(project: Project, wait: Any, default: object = MISSING) -> str:
    """Say what the rule would do now."""
    check_rule(project=project, wait=wait, default=default)
    if wait is None:
        return "No event would be touched: each waits until its label comes."
    count = overdue_now(project, wait, timezone.now())
    many = f"{count:,} or more events" if count == COUNTED else f"{count:,} event{'' if count == 1 else 's'}"
    what = "become unknown" if default is MISSING else "get the default label and be learned"
    when = f"received more than {wait_in_words(wait)} ago and without a label"
    return f"{many} would {what} at once: {when}. Later ones follow."


@require_POST
@project_page(WORK)
def labels_discard(request: HttpRequest, project: Project) -> HttpResponse:
    """Throw away the labels that wait for one event, or for all."""
    key = request.POST.get("key") or None
    gone = discard_early_labels(project=project, actor=cast(User, request.user), key=key)
    messages.success(request, f"{gone:,} discarded.")
    return redirect("projects:labels", project.slug)
