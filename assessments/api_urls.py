"""HTTP API of one project's assessment, under /api/v1/projects/<slug>/."""

from django.urls import path

from assessments import api

app_name = "assessments_api"
urlpatterns = [
    path("assessment/", api.AssessmentNow.as_view(), name="assessment"),
    path("assessment/rounds/", api.AssessmentRounds.as_view(), name="rounds"),
    path("assessment/<int:assessment>/rounds/<int:number>/", api.AssessmentResult.as_view(), name="result"),
]
