"""HTTP API of one project, under /api/v1/projects/<slug>/."""

from django.urls import path

from projects import api, api_projects

app_name = "projects_api"
urlpatterns = [
    path("", api_projects.OneProject.as_view(), name="project"),
    path("events/", api.events, name="events"),
    path("labels/", api.labels, name="labels"),
]
