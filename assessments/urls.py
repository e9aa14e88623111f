"""Pages of assessments, under /projects/<slug>/."""

from django.urls import path

from assessments.views import (
    assumptions,
    checklist,
    comparison,
    overview,
    panel,
    plan,
    recommendation,
    reports,
    results,
    scope,
    sharing,
    voting,
)

app_name = "assessments"
urlpatterns = [
    path("assessment/", overview.overview, name="overview"),
    path("assessment/panel/", overview.panel, name="panel"),
    path("assessment/close/", overview.close, name="close"),
    path("assessment/checklist/", checklist.checklist_start, name="checklist_start"),
    path("assessment/checklist/<slug:principle>/", checklist.checklist, name="checklist"),
    path("assessment/recommendation/", recommendation.recommendation, name="recommendation"),
    path("assessment/assumptions/", assumptions.assumptions, name="assumptions"),
    path("assessment/assumptions/edit/", assumptions.assumptions_edit, name="assumptions_edit"),
    path("assessment/sources/", recommendation.sources, name="sources"),
    path("scope/", scope.scope, name="scope"),
    path("scope/preview/", scope.scope_preview, name="scope_preview"),
    path("scope/measured/<slug:factor>/", scope.scope_measured, name="scope_measured"),
    # The panel of experts
    path("assessment/experts/", panel.experts, name="experts"),
    path("assessment/experts/invite/", panel.invite, name="invite"),
    path("assessment/experts/<int:expert>/renew/", panel.expert_renew, name="expert_renew"),
    path("assessment/experts/<int:expert>/revoke/", panel.expert_revoke, name="expert_revoke"),
    path("assessment/rounds/open/", panel.round_open, name="round_open"),
    path("assessment/rounds/close/", panel.round_close, name="round_close"),
    path("assessment/vote/", voting.vote_start, name="vote_start"),
    path("assessment/vote/weights/", voting.vote_weights, name="vote_weights"),
    path("assessment/vote/on/<slug:principle>/", voting.vote, name="vote"),
    path("assessment/guest/<str:token>/", voting.guest_vote_start, name="guest_vote_start"),
    path("assessment/guest/<str:token>/weights/", voting.guest_vote_weights, name="guest_vote_weights"),
    path("assessment/guest/<str:token>/on/<slug:principle>/", voting.guest_vote, name="guest_vote"),
    # Results and what follows from them
    path("assessment/rounds/<int:number>/", results.result, name="result"),
    path("assessment/rounds/<int:number>/what-if/", results.what_if, name="what_if"),
    path("assessment/rounds/<int:number>/report/", reports.report, name="result_report"),
    path("assessment/rounds/<int:number>/report.pdf", reports.report_pdf, name="result_pdf"),
    path("assessment/rounds/<int:number>/export.csv", reports.report_data, {"form": "csv"}, name="result_csv"),
    path("assessment/rounds/<int:number>/export.json", reports.report_data, {"form": "json"}, name="result_json"),
    path("assessment/compare/", comparison.compare, name="compare"),
    path("assessment/share/", sharing.share_create, name="share_create"),
    path("assessment/share/<int:link>/end/", sharing.share_end, name="share_end"),
    path("assessment/shared/<str:token>/", sharing.shared, name="shared"),
    path("assessment/shared/<str:token>/report.pdf", sharing.shared_pdf, name="shared_pdf"),
    path("assessment/plan/", plan.plan, name="plan"),
    path("assessment/plan/<slug:principle>/", plan.decision, name="decision"),
]
