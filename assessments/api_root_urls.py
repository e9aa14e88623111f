"""HTTP API of the catalogue, under /api/v1/."""

from django.urls import path

from assessments import api

app_name = "assessments_api_root"
urlpatterns = [path("principles/", api.Principles.as_view(), name="principles")]
