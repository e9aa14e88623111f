"""Pages of projects, teams and one's own account."""

from django.urls import path

from projects.views import account, data, imports, labels, projects, teams, tokens

app_name = "projects"

PROJECT = "projects/<slug:slug>/"
IMPORT = PROJECT + "data/imports/<int:pk>/"
TEAM = "teams/<slug:slug>/"

urlpatterns = [
    path("projects/new/", projects.create, name="create"),
    path(PROJECT + "settings/", projects.settings, name="settings"),
    path(PROJECT + "settings/archive/", projects.archive, name="archive"),
    path(PROJECT + "settings/unarchive/", projects.unarchive, name="unarchive"),
    path(PROJECT + "settings/tokens/", tokens.token_create, name="token_create"),
    path(PROJECT + "settings/tokens/<int:pk>/revoke/", tokens.token_revoke, name="token_revoke"),
    path(PROJECT + "data/", data.data, name="data"),
    path(PROJECT + "data/events/<int:pk>/", data.event, name="event"),
    path(PROJECT + "data/labels/", labels.labels, name="labels"),
    path(PROJECT + "data/labels/discard/", labels.labels_discard, name="labels_discard"),
    path(PROJECT + "data/upload/", imports.import_file, name="import_file"),
    path(PROJECT + "data/bundled/", imports.import_bundled, name="import_bundled"),
    path(PROJECT + "data/synthetic/", imports.import_synthetic, name="import_synthetic"),
    path(IMPORT, imports.import_detail, name="import"),
    path(IMPORT + "preview/", imports.import_preview, name="import_preview"),
    path(IMPORT + "discard/", imports.import_discard, name="import_discard"),
    path(IMPORT + "pause/", imports.import_pause, name="import_pause"),
    path(IMPORT + "resume/", imports.import_resume, name="import_resume"),
    path(IMPORT + "rate/", imports.import_rate, name="import_rate"),
    path(IMPORT + "cancel/", imports.import_cancel, name="import_cancel"),
    path(IMPORT + "set-aside.csv", imports.import_rejected, name="import_rejected"),
    path(PROJECT + "activity/", data.activity, name="activity"),
    path("teams/", teams.team_list, name="team_list"),
    path("teams/new/", teams.team_create, name="team_create"),
    path(TEAM, teams.team, name="team"),
    path(TEAM + "members/", teams.member_add, name="member_add"),
    path(TEAM + "members/<int:pk>/role/", teams.member_role, name="member_role"),
    path(TEAM + "members/<int:pk>/remove/", teams.member_remove, name="member_remove"),
    path(TEAM + "members/<int:pk>/link/", teams.member_link, name="member_link"),
    path("account/", account.account, name="account"),
    path("account/password/", account.account_password, name="account_password"),
]
