"""HTTP API of the catalogue, under /api/v1/."""

from django.urls import path

from assessments.api import catalogue, draft, draft_principles, editions

app_name = "assessments_api_root"
TEAM = "teams/<slug:slug>/catalogue/"
PRINCIPLE = TEAM + "draft/principles/<slug:principle>/"
urlpatterns = [
    path("principles/", catalogue.Principles.as_view(), name="principles"),
    path(TEAM + "editions/", editions.Editions.as_view(), name="editions"),
    path(TEAM + "editions/<int:number>/", editions.OneEdition.as_view(), name="edition"),
    path(TEAM + "editions/<int:number>/changes/", editions.EditionChanges.as_view(), name="edition_changes"),
    path(TEAM + "draft/", draft.Draft.as_view(), name="draft"),
    path(TEAM + "draft/publish/", draft.PublishDraft.as_view(), name="draft_publish"),
    path(TEAM + "draft/discard/", draft.DiscardDraft.as_view(), name="draft_discard"),
    path(TEAM + "draft/import/", draft.ImportShipped.as_view(), name="draft_import"),
    path(TEAM + "draft/sources/", draft.Sources.as_view(), name="draft_sources"),
    path(TEAM + "draft/principles/", draft_principles.Principles.as_view(), name="draft_principles"),
    path(PRINCIPLE, draft_principles.OnePrinciple.as_view(), name="draft_principle"),
    path(PRINCIPLE + "retire/", draft_principles.RetirePrinciple.as_view(), name="draft_retire"),
    path(PRINCIPLE + "back/", draft_principles.BringBack.as_view(), name="draft_back"),
]
