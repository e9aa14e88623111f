"""HTTP API of one project's assessment, under /api/v1/projects/<slug>/."""

from django.urls import path

from assessments.api import (
    assessment,
    assumptions,
    ballot,
    board,
    checklist,
    comparison,
    experts,
    plan,
    report_files,
    rounds,
    scope,
    shares,
    statements,
    what_if,
)

app_name = "assessments_api"
BALLOT = "assessment/ballot/"
BOARD = "assessment/board/"
EXPERTS = "assessment/experts/"
ROUNDS = "assessment/rounds/"
ONE_ROUND = "assessment/<int:assessment>/rounds/<int:number>/"
STATEMENT = BOARD + "statements/<int:number>/"
urlpatterns = [
    path("assessment/", assessment.AssessmentNow.as_view(), name="assessment"),
    path("assessment/close/", assessment.CloseAssessment.as_view(), name="close"),
    path("assessment/scope/", scope.OneScope.as_view(), name="scope"),
    path("assessment/scope/preview/", scope.ScopePreview.as_view(), name="scope_preview"),
    path("assessment/checklist/", checklist.OneChecklist.as_view(), name="checklist"),
    path("assessment/checklist/<str:practice>/", checklist.AnswerPractice.as_view(), name="checklist_answer"),
    path("assessment/assumptions/", assumptions.Assumptions.as_view(), name="assumptions"),
    path(EXPERTS, experts.Experts.as_view(), name="experts"),
    path(EXPERTS + "<int:number>/renew/", experts.RenewExpert.as_view(), name="expert_renew"),
    path(EXPERTS + "<int:number>/revoke/", experts.RevokeExpert.as_view(), name="expert_revoke"),
    path(ROUNDS, rounds.AssessmentRounds.as_view(), name="rounds"),
    path(ROUNDS + "open/", rounds.OpenRound.as_view(), name="round_open"),
    path(ROUNDS + "close/", rounds.CloseRound.as_view(), name="round_close"),
    path(ONE_ROUND, assessment.AssessmentResult.as_view(), name="result"),
    path(ONE_ROUND + "report.pdf", report_files.ReportPdf.as_view(), name="result_pdf"),
    path(ONE_ROUND + "export.csv", report_files.ReportCsv.as_view(), name="result_csv"),
    path(ONE_ROUND + "what-if/", what_if.AssessmentWhatIf.as_view(), name="what_if"),
    path(BALLOT, ballot.OneBallot.as_view(), name="ballot"),
    path(BALLOT + "weights/", ballot.BallotWeights.as_view(), name="ballot_weights"),
    path(BALLOT + "<slug:principle>/", ballot.BallotAnswer.as_view(), name="ballot_answer"),
    path("assessment/compare/", comparison.AssessmentCompare.as_view(), name="compare"),
    path("assessment/plan/", plan.AdoptionPlan.as_view(), name="plan"),
    path("assessment/plan/<slug:principle>/", plan.Decisions.as_view(), name="decisions"),
    path("assessment/shares/", shares.Shares.as_view(), name="shares"),
    path("assessment/shares/<int:number>/end/", shares.EndShare.as_view(), name="share_end"),
    path(BOARD, board.OneBoard.as_view(), name="board"),
    path(BOARD + "close/", board.CloseBoard.as_view(), name="board_close"),
    path(BOARD + "codes/", board.Codes.as_view(), name="board_codes"),
    path(BOARD + "codes/<int:number>/remove/", board.RemoveCode.as_view(), name="board_code_remove"),
    path(BOARD + "statements/", statements.Statements.as_view(), name="board_statements"),
    path(STATEMENT, statements.OneStatement.as_view(), name="board_statement"),
    path(STATEMENT + "code/", board.GroupStatement.as_view(), name="board_statement_code"),
    path(STATEMENT + "stance/", statements.TakeStance.as_view(), name="board_statement_stance"),
    path(STATEMENT + "withdraw/", statements.WithdrawStatement.as_view(), name="board_statement_withdraw"),
]
