"""Trying the deployed model from a page, and sending the label that came later."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from models_registry.forms.predictions import LARGEST_KEY, FeaturesForm, LabelForm
from models_registry.selectors.predictions import Example, GivenAnswer, find_answer, find_example, write_curl
from models_registry.selectors.serving import serving_now
from models_registry.services.prediction import predict
from ops_portal.errors import UserError
from projects.access import WORK, project_page
from projects.models import Project
from projects.payload import MAX_KEY, Incoming, IncomingLabel
from projects.services.events import accept_labels


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(WORK)
def predict_form(request: HttpRequest, project: Project) -> HttpResponse:
    """Ask what serves for one event; the answer is kept, so it has an address of its own and can get its label."""
    if request.method != "POST":
        example, answer = _find(project, request.GET.get("answer", ""))
        form = FeaturesForm(example=example.features if example else {}, initial={"like": example and example.pk})
        return _show(request, project, form, answer)
    like = request.POST.get("like", "")
    known = like.isascii() and like.isdigit() and int(like[:19]) <= LARGEST_KEY
    example = find_example(project, int(like[:19]) if known else None)
    form = FeaturesForm(request.POST, example=example.features if example else {})
    if form.is_valid():
        try:
            item = Incoming(1, None, form.cleaned_data["event"])
            return _to_answer(project, predict(project=project, item=item, now=timezone.now()).id)
        except UserError as refused:
            form.add_error(None, refused.message)
    return _show(request, project, form, None, status=422)


@require_POST
@project_page(WORK)
def predict_label(request: HttpRequest, project: Project) -> HttpResponse:
    """Send the label of an event that was predicted."""
    form = LabelForm(request.POST, project=project)
    key = request.POST.get("id", "")[:MAX_KEY]
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return _to_answer(project, key)
    label = IncomingLabel(1, form.cleaned_data["id"], form.cleaned_data["label"])
    receipt = accept_labels(project_id=project.pk, labels=[label], now=timezone.now())
    if receipt.rejected:
        messages.error(request, receipt.rejected[0].error[:1].upper() + receipt.rejected[0].error[1:] + ".")
    elif receipt.corrections:
        messages.success(request, "Recorded beside the first label, which stays in the order of learning.")
    elif receipt.waiting:
        messages.info(request, "There is no such event yet: the label waits for it.")
    elif receipt.duplicates:
        messages.info(request, "This label was there already.")
    else:
        messages.success(request, f"Accepted: it is labelled event {receipt.last_position:,} of the stream.")
    return _to_answer(project, key)


def _find(project: Project, key: str) -> tuple[Example | None, GivenAnswer | None]:
    found = find_answer(project, key) if key and "\0" not in key else None
    return found if found else (find_example(project), None)


def _to_answer(project: Project, key: str) -> HttpResponse:
    address = reverse("models_registry:predict_form", args=[project.slug])
    return HttpResponseRedirect(f"{address}?{urlencode({'answer': key})}#answer") if key else redirect(address)


def _show(
    request: HttpRequest, project: Project, form: FeaturesForm, answer: GivenAnswer | None, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "project": project,
        "nav_active": "deployments",
        "form": form,
        "answer": answer,
        "serving": serving_now(project),
    }
    if answer:
        api = request.build_absolute_uri(f"/api/v1/projects/{project.slug}/predict/")
        context["curl"] = write_curl(api, answer.features)
        context["label_form"] = LabelForm(project=project, initial={"id": answer.id})
    return render(request, "models_registry/deployment_predict.html", context, status=status)
