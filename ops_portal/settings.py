"""Settings of Ops Portal: embedded defaults for a fresh machine, the environment for everything else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from environs import validate

from ops_portal.env import DATA_DIR, ROOT, broker_url, env, redis_url, secret

BASE_DIR = ROOT
VERSION = "0.1.0"

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = secret("SECRET_KEY", "django.key")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "csp",
    "template_partials",
    "lucide",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "ops_portal",
    "projects",
    "models_registry",
    "assessments",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "ops_portal.rate.RateLimit",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "ops_portal.http.UserErrorMiddleware",
]

ROOT_URLCONF = "ops_portal.urls"
WSGI_APPLICATION = "ops_portal.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "ops_portal.http.portal_context",
                "projects.context.switcher",
            ],
        },
    }
]
FORM_RENDERER = "ops_portal.forms.FormRenderer"

# --- database -------------------------------------------------------------------------------------
SQLITE_SYNCHRONOUS = env.str("SQLITE_SYNCHRONOUS", default="NORMAL", validate=validate.OneOf(["NORMAL", "FULL"]))
SQLITE_OPTIONS = {
    # A transaction that starts as a reader and then writes fails at once under WAL; starting as a writer waits.
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    "init_command": (
        # NORMAL: what is committed outlives any crash of the portal; FULL: a power failure too, at one flush a commit.
        f"PRAGMA journal_mode=WAL; PRAGMA synchronous={SQLITE_SYNCHRONOUS}; PRAGMA foreign_keys=ON;"
        "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16000; PRAGMA mmap_size=134217728;"
        # A checkpoint flushes to the disk: one in 16 MB of changes instead of one in 4.
        "PRAGMA wal_autocheckpoint=4000;"
    ),
}
DATA_DIR.mkdir(parents=True, exist_ok=True)
DATABASES = {"default": env.dj_db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'portal.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
else:
    # Django's own statements are never prepared; those of `ops_portal.raw_sql` are, which this allows.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("prepare_threshold", 5)
DATABASES["default"]["CONN_MAX_AGE"] = None
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- signing in -----------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "sesame.backends.ModelBackend"]
SESAME_ONE_TIME = True
SESAME_MAX_AGE = timedelta(days=1)
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "models_registry:dashboard"
LOGOUT_REDIRECT_URL = "sign_in"

# --- security -------------------------------------------------------------------------------------
HTTPS = env.bool("HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        # plotly.js adds three style elements of its own; these hashes allow just those (the first is the empty one).
        "style-src": [
            SELF,
            "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
            "'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='",
            "'sha256-0UGIKrjtk+QrfPCWi+IpNU7AMm7x4nySTLVjunuQ/sk='",
            "'sha256-rRpUUE430il5Qhy5qdsuiqArF3OzIfvelQLR5Rk7OXc='",  # templates/500.html, which needs no file
        ],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
    # The Django admin brings inline styles of its own.
    "EXCLUDE_URL_PREFIXES": ["/admin/"],
}

# --- time and language ----------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = False
USE_TZ = True

# --- files ----------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(DATA_DIR / "static")))
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "ops_portal.assets.PackageAssetsFinder",
]
# The embedded default serves files straight from the packages; production collects, hashes and compresses them.
COLLECTED = env.bool("COLLECTED_STATIC", default=False)
WHITENOISE_USE_FINDERS = not COLLECTED
WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_ROOT = DATA_DIR / "uploads"
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "artifacts": {
        "BACKEND": env.str("ARTIFACT_STORAGE", default="django.core.files.storage.FileSystemStorage"),
        "OPTIONS": env.json("ARTIFACT_STORAGE_OPTIONS", default=None) or {"location": str(DATA_DIR / "artifacts")},
    },
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 2**20
FILE_UPLOAD_PERMISSIONS = 0o600

# --- models ---------------------------------------------------------------------------------------
#: Signs artifacts; a file that it did not sign is never unpickled.
ARTIFACT_KEY = secret("ARTIFACT_KEY", "artifact.key").encode()
#: A model whose artifact grows past this many bytes stops its run, its last good checkpoint kept.
ARTIFACT_MAX_BYTES = env.int("ARTIFACT_MAX_BYTES", default=128 * 2**20)
#: Of each run, the artifacts of so many versions are kept, evenly spaced; deployed and tagged ones come on top.
VERSIONS_KEPT_PER_RUN = env.int("VERSIONS_KEPT_PER_RUN", default=20)
#: Seconds of learning between two checkpoints of a run.
TRAINING_CHUNK_SECONDS = env.float("TRAINING_CHUNK_SECONDS", default=1.0)
#: A worker that is silent for this long is taken for dead: well above a chunk, well below what a person waits for.
TRAINING_LEASE_SECONDS = env.float("TRAINING_LEASE_SECONDS", default=20.0)
#: A consumer of a stream that is silent for this long is taken for dead.
CONSUMER_SILENCE_SECONDS = env.float("CONSUMER_SILENCE_SECONDS", default=20.0)
#: How many deployed models a web process keeps in memory.
SERVING_CACHE_MODELS = env.int("SERVING_CACHE_MODELS", default=8)

#: Lets Prometheus read `/metrics`; without it only superusers may.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

#: Imported in the background by each web process, so that its first prediction does not wait for River.
PRELOAD = "models_registry.learning.progressive"

# --- background work ------------------------------------------------------------------------------
CELERY_BROKER_URL = broker_url()
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "queue_order_strategy": "round_robin",
    # A request that rings must not wait for a broker that is away: the sweeper rings again anyway.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "socket_connect_timeout": 2,
}
#: Rung after labels were committed, so that runs which follow the stream go on. The kernel names apps as strings only.
FOLLOWERS_TASK = "models_registry.tasks.ring_followers"
#: The sweeper rings again for rows left waiting; each is one cheap query.
CELERY_BEAT_SCHEDULE = {
    "ring-waiting-runs": {"task": "models_registry.tasks.ring_waiting_runs", "schedule": 3.0},
    "watch-deployments": {"task": "models_registry.tasks.watch_deployments", "schedule": 3.0},
    "ask-streams": {"task": "models_registry.tasks.ask_streams", "schedule": 4.0},
    "ring-waiting-imports": {"task": "projects.tasks.ring_waiting_imports", "schedule": 5.0},
    "settle-labels": {"task": "projects.tasks.settle_labels", "schedule": 5.0},
    "ring-waiting-results": {"task": "assessments.tasks.ring_waiting_results", "schedule": 30.0},
    "retain-versions": {"task": "models_registry.tasks.retain_versions", "schedule": 600.0},
    "sweep-artifacts": {"task": "models_registry.tasks.sweep_artifacts", "schedule": 3600.0},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")

#: API calls that go past the middleware when they carry a token: by the last part of their address (decision 6).
LEAN_CALLS = {
    "predict": "models_registry.api.predict.predict_call",
    "events": "projects.api.events",
    "labels": "projects.api.labels",
}

# --- HTTP API -------------------------------------------------------------------------------------
#: Requests that one token may make in a minute; 0: no limit.
API_RATE_PER_MINUTE = env.int("API_RATE_PER_MINUTE", default=600_000)
#: Where the requests of all web processes are counted.
SHARED_COUNTS_URL = redis_url()
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "projects.api_auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["models_registry.api.body.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "ops_portal.errors.api_exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Ops Portal",
    "DESCRIPTION": "Register online-learning projects, send events and labels, predict, train, deploy and roll back.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    # So that names of types do not depend on which of them was described first.
    "ENUM_NAME_OVERRIDES": {
        "RunMode": "models_registry.models.Run.Mode",
        "RunState": "models_registry.models.Run.State",
        "DeploymentMode": "models_registry.models.Deployment.Mode",
        "DeploymentKind": "models_registry.models.Deployment.Kind",
        "AlarmKind": "models_registry.models.Alarm.Kind",
        "ComparisonKind": "models_registry.models.Comparison.Kind",
        "StatementKind": "assessments.models.Statement.Kind",
        "StatementStance": "assessments.models.Reaction.Value",
        "RatingStance": "assessments.models.Stance",
        "AssessmentState": "assessments.api.assessment.STATES",
        "Verdict": "assessments.selectors.recommendation.VERDICTS",
        "PanelVerdict": "assessments.scoring.verdict.CODES",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "models_registry.api.description.add_refusals",
        "models_registry.api.links.add_links",
    ],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}
