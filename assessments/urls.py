"""Pages of assessments, under /projects/<slug>/."""

from django.urls import path

from assessments.views import board, checklist, overview, panel, plan, recommendation, results, scope, voting

app_name = "assessments"
urlpatterns = [
    path("assessment/", overview.overview, name="overview"),
    path("assessment/panel/", overview.panel, name="panel"),
    path("assessment/close/", overview.close, name="close"),
    path("assessment/checklist/", checklist.checklist_start, name="checklist_start"),
    path("assessment/checklist/<slug:principle>/", checklist.checklist, name="checklist"),
    path("assessment/recommendation/", recommendation.recommendation, name="recommendation"),
    path("assessment/assumptions/", recommendation.assumptions, name="assumptions"),
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
    # The statements board
    path("assessment/board/", board.board, name="board"),
    path("assessment/board/open/", board.board_open, name="board_open"),
    path("assessment/board/close/", board.board_close, name="board_close"),
    path("assessment/board/codes/", board.code_add, name="code_add"),
    path("assessment/board/codes/<int:code>/remove/", board.code_remove, name="code_remove"),
    path("assessment/board/statements/<int:statement>/code/", board.statement_group, name="statement_group"),
    path("assessment/board/export.csv", board.board_export, {"form": "csv"}, name="board_csv"),
    path("assessment/board/export.json", board.board_export, {"form": "json"}, name="board_json"),
    path("assessment/vote/board/", board.expert_board, name="expert_board"),
    path("assessment/vote/board/on/<slug:principle>/", board.expert_board_on, name="board_on"),
    path("assessment/guest/<str:token>/board/", board.guest_board, name="guest_expert_board"),
    path("assessment/guest/<str:token>/board/on/<slug:principle>/", board.guest_board_on, name="guest_board_on"),
    # Results and what follows from them
    path("assessment/rounds/<int:number>/", results.result, name="result"),
    path("assessment/rounds/<int:number>/what-if/", results.what_if, name="what_if"),
    path("assessment/rounds/<int:number>/export.csv", results.result_export, {"form": "csv"}, name="result_csv"),
    path("assessment/rounds/<int:number>/export.json", results.result_export, {"form": "json"}, name="result_json"),
    path("assessment/share/", results.share_create, name="share_create"),
    path("assessment/share/<int:link>/end/", results.share_end, name="share_end"),
    path("assessment/shared/<str:token>/", results.shared, name="shared"),
    path("assessment/plan/", plan.plan, name="plan"),
    path("assessment/plan/<slug:principle>/", plan.decision, name="decision"),
]
