"""All addresses of the portal."""

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from ops_portal import api_docs, api_lost, pages

urlpatterns = [
    path("", include("projects.urls")),
    path("", include("models_registry.urls")),
    path("projects/<slug:slug>/", include("assessments.urls")),
    path("teams/<slug:slug>/catalogue/", include("assessments.team_urls")),
    path("sign-in/", pages.SignIn.as_view(), name="sign_in"),
    path("sign-in/link/", pages.sign_in_by_link, name="sign_in_by_link"),
    path("sign-out/", pages.SignOut.as_view(), name="sign_out"),
    path("api/v1/projects/", include("projects.api_root_urls")),
    path("api/v1/projects/<slug:slug>/", include("models_registry.api_urls")),
    path("api/v1/projects/<slug:slug>/", include("projects.api_urls")),
    path("api/v1/projects/<slug:slug>/", include("assessments.api_urls")),
    path("api/v1/", include("assessments.api_root_urls")),
    re_path(r"^api/v1/(?P<rest>(?s:.*))\Z", api_lost.lost),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", api_docs.swagger, name="api_docs"),
    path("api/docs/redoc/", api_docs.redoc, name="api_docs_redoc"),
    path("health/live", pages.live, name="live"),
    path("health/ready", pages.ready, name="ready"),
    path("admin/", admin.site.urls),
]
