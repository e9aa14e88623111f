"""Pages of a team's catalogue, under /teams/<slug>/catalogue/."""

from django.urls import path

from assessments.views import catalogue

app_name = "catalogue"
PRINCIPLE = "draft/principles/<slug:principle>/"
urlpatterns = [
    path("", catalogue.home, name="home"),
    path("editions/<int:pk>/", catalogue.edition, name="edition"),
    path("draft/", catalogue.draft, name="draft"),
    path("draft/publish/", catalogue.publish, name="publish"),
    path("draft/discard/", catalogue.discard, name="discard"),
    path("draft/import/", catalogue.take_in, name="import"),
    path("draft/sources/", catalogue.source_add, name="source_add"),
    path("draft/add/", catalogue.principle_add, name="principle_add"),
    path(PRINCIPLE, catalogue.principle, name="principle"),
    path(PRINCIPLE + "retire/", catalogue.principle_retire, name="principle_retire"),
    path(PRINCIPLE + "back/", catalogue.principle_back, name="principle_back"),
]
