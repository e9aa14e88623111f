"""HTTP API of one project's assessment, under /api/v1/projects/<slug>/."""

from django.urls import path

from assessments.api import assessment, board, statements

app_name = "assessments_api"
BOARD = "assessment/board/"
STATEMENT = BOARD + "statements/<int:number>/"
urlpatterns = [
    path("assessment/", assessment.AssessmentNow.as_view(), name="assessment"),
    path("assessment/rounds/", assessment.AssessmentRounds.as_view(), name="rounds"),
    path("assessment/<int:assessment>/rounds/<int:number>/", assessment.AssessmentResult.as_view(), name="result"),
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
