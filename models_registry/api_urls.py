"""HTTP API of one project's models, under /api/v1/projects/<slug>/."""

from django.urls import path

from models_registry.api import (
    comparisons,
    deployments,
    findings,
    models,
    monitors,
    predict,
    proposals,
    runs,
    series,
    trials,
    versions,
)

app_name = "models_registry_api"
urlpatterns = [
    path("predict/", predict.predict_call, name="predict"),
    path("models/", models.Models.as_view(), name="models"),
    path("models/<int:model_id>/", models.OneModel.as_view(), name="model"),
    path("runs/", runs.Runs.as_view(), name="runs"),
    path("runs/<int:number>/", runs.OneRun.as_view(), name="run"),
    path("runs/<int:number>/pause/", runs.PauseRun.as_view(), name="run_pause"),
    path("runs/<int:number>/resume/", runs.ResumeRun.as_view(), name="run_resume"),
    path("runs/<int:number>/cancel/", runs.CancelRun.as_view(), name="run_cancel"),
    path("runs/<int:number>/publish/", runs.PublishRun.as_view(), name="run_publish"),
    path("runs/<int:number>/metrics/", series.RunMetrics.as_view(), name="run_metrics"),
    path("runs/<int:number>/set-aside/", findings.SetAside.as_view(), name="run_set_aside"),
    path("comparisons/", comparisons.Comparisons.as_view(), name="comparisons"),
    path("comparisons/<int:number>/", comparisons.OneComparison.as_view(), name="comparison"),
    path("versions/", versions.Versions.as_view(), name="versions"),
    path("versions/restore/", versions.RestoreVersion.as_view(), name="version_restore"),
    path("versions/<int:number>/", versions.OneVersion.as_view(), name="version"),
    path("versions/<int:number>/verify/", versions.VerifyVersion.as_view(), name="version_verify"),
    path("deployments/", deployments.Deployments.as_view(), name="deployments"),
    path("deployments/live/", trials.Live.as_view(), name="live"),
    path("deployments/canary/abort/", trials.AbortCanary.as_view(), name="canary_abort"),
    path("deployments/proposals/", proposals.Proposals.as_view(), name="proposals"),
    path("deployments/proposals/<int:number>/", proposals.OneProposal.as_view(), name="proposal"),
    path("deployments/proposals/<int:number>/approve/", proposals.Approve.as_view(), name="proposal_approve"),
    path("deployments/proposals/<int:number>/decline/", proposals.Decline.as_view(), name="proposal_decline"),
    path("deployments/proposals/<int:number>/withdraw/", proposals.Withdraw.as_view(), name="proposal_withdraw"),
    path("challengers/", trials.Challengers.as_view(), name="challengers"),
    path("challengers/<int:number>/stop/", trials.StopChallenger.as_view(), name="challenger_stop"),
    path("rollback/", deployments.RollBack.as_view(), name="rollback"),
    path("monitors/", monitors.Monitors.as_view(), name="monitors"),
    path("alarms/", findings.Alarms.as_view(), name="alarms"),
]
