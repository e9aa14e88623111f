"""HTTP API of projects."""

from django.urls import URLPattern

app_name = "projects_api"
urlpatterns: list[URLPattern] = []
