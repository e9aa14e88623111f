"""Pages of models_registry."""

from __future__ import annotations

from django.urls import URLPattern, path

from models_registry.urls_learning import patterns as learning_patterns
from models_registry.views import dashboard, deployments, metrics, overview, predictions, trials

app_name = "models_registry"
urlpatterns: list[URLPattern] = [
    path("", dashboard.dashboard, name="dashboard"),
    path("projects/<slug:slug>/", overview.overview, name="overview"),
    path("projects/<slug:slug>/metric/", overview.overview_chart, name="overview_chart"),
    path("projects/<slug:slug>/deployments/", deployments.deployment_list, name="deployment_list"),
    path("projects/<slug:slug>/deployments/deploy/", deployments.deploy, name="deploy"),
    path("projects/<slug:slug>/deployments/roll-back/", deployments.roll_back, name="roll_back"),
    path("projects/<slug:slug>/deployments/timeline/", deployments.timeline, name="timeline"),
    path("projects/<slug:slug>/deployments/canary/", trials.canary, name="canary"),
    path("projects/<slug:slug>/deployments/canary/abort/", trials.canary_abort, name="canary_abort"),
    path("projects/<slug:slug>/deployments/challengers/new/", trials.challenger, name="challenger"),
    path(
        "projects/<slug:slug>/deployments/challengers/<int:number>/stop/",
        trials.challenger_stop,
        name="challenger_stop",
    ),
    path("projects/<slug:slug>/deployments/proposals/<int:number>/", trials.proposal, name="proposal"),
    path("projects/<slug:slug>/predict/", predictions.predict_form, name="predict_form"),
    path("projects/<slug:slug>/predict/label/", predictions.predict_label, name="predict_label"),
    path("metrics", metrics.metrics, name="metrics"),
    *learning_patterns,
]
