"""Pages of assessments, under /projects/<slug>/."""

from django.urls import path

from assessments.views import checklist, overview, recommendation, scope

app_name = "assessments"
urlpatterns = [
    path("assessment/", overview.overview, name="overview"),
    path("assessment/panel/", overview.panel, name="panel"),
    path("assessment/close/", overview.close, name="close"),
    path("assessment/checklist/<slug:principle>/", checklist.checklist, name="checklist"),
    path("assessment/recommendation/", recommendation.recommendation, name="recommendation"),
    path("assessment/assumptions/", recommendation.assumptions, name="assumptions"),
    path("assessment/sources/", recommendation.sources, name="sources"),
    path("scope/", scope.scope, name="scope"),
    path("scope/preview/", scope.scope_preview, name="scope_preview"),
    path("scope/measured/<slug:factor>/", scope.scope_measured, name="scope_measured"),
]
