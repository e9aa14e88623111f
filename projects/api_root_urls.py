"""HTTP API of all projects, under /api/v1/projects/."""

from django.urls import path

from projects import api_projects

app_name = "projects_api_root"
urlpatterns = [path("", api_projects.Projects.as_view(), name="project_list")]
