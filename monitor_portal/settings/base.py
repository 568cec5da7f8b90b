"""Django settings. What an operator may change comes from the environment (see `environment.py`)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import environ
from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _
from kombu import Exchange, Queue

from monitor_portal.settings import environment
from monitor_portal.settings.logs import configure_logging

BASE_DIR: Path = environment.BASE_DIR
VERSION = "0.1.0"

# --- What an operator sets -------------------------------------------------------------------------------
SECRET_KEY = environment.secret_key()
DEBUG = False
PORTAL_STATE = environment.state_folder()
PORTAL_WEB_URL = environment.text("PORTAL_WEB_URL", "http://127.0.0.1:8000")
# Where the web process listens; the launcher fills in the port it took.
PORTAL_HOST = environment.text("PORTAL_HOST", "127.0.0.1")
PORTAL_PORT = environment.whole_number("PORTAL_PORT", 8_000, 1, 65_535)
PORTAL_DEMO = environment.boolean("PORTAL_DEMO", True)
PORTAL_CHANNEL_ALLOW = environment.networks("PORTAL_CHANNEL_ALLOW")
PORTAL_PROBE_DENY = environment.networks("PORTAL_PROBE_DENY")
PORTAL_ADMIN_PASSWORD = environment.text("PORTAL_ADMIN_PASSWORD")
PORTAL_LANGUAGE = environment.choice("PORTAL_LANGUAGE", "en", {"en", "ko"})
PORTAL_REGION = environment.text("PORTAL_REGION", "local")
PORTAL_PROBE_PLACES = environment.whole_number("PORTAL_PROBE_PLACES", 10_000, 1, 100_000)
SENTRY_DSN = environment.text("SENTRY_DSN")
PORTAL_LOG_FORMAT = environment.choice("PORTAL_LOG_FORMAT", "json", {"json", "console"})

DATABASE_URL = environment.required("DATABASE_URL", "postgres://user:password@host:5432/portal")
REDIS_URL = environment.with_certificate_checked(environment.required("REDIS_URL", "redis://:password@host:6379"))

# The portal is reached by whatever name its operator gives it; Host is not used to build links that leave it
# (those come from PORTAL_WEB_URL), so a list is only wanted behind a shared proxy.
ALLOWED_HOSTS = environment.names("PORTAL_ALLOWED_HOSTS") or ["*"]
CSRF_TRUSTED_ORIGINS = environment.names("PORTAL_TRUSTED_ORIGINS")
PORTAL_HTTPS = environment.boolean("PORTAL_HTTPS", False)

# --- Applications ----------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "daphne",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "rest_framework_simplejwt",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "csp",
    "axes",
    "channels",
    "apps.core",
    "apps.accounts",
    "apps.catalog",
    "apps.checks",
    "apps.alerts",
    "apps.live",
    "apps.dashboard",
]

MIDDLEWARE = [
    "apps.core.middleware.DependencyOutageMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "apps.core.middleware.AdminPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "apps.core.middleware.CompressionMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.accounts.middleware.PreferencesMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "monitor_portal.urls"
ASGI_APPLICATION = "monitor_portal.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "apps.dashboard.context_processors.shell",
            ],
            "builtins": ["apps.dashboard.templatetags.portal"],
        },
    }
]

# --- PostgreSQL ------------------------------------------------------------------------------------------
DATABASES = {"default": environ.Env.db_url_config(DATABASE_URL)}
DATABASES["default"]["OPTIONS"] = {
    **DATABASES["default"].get("OPTIONS", {}),
    # A pool in every process; Celery runs on threads because its fixup would close a prefork pool at each task.
    "pool": {"min_size": 1, "max_size": 10, "timeout": 5},
    "connect_timeout": 5,
    "application_name": "monitor-portal",
    # Only `core.statements` prepares: its statements take a few hundred ids each, for which the plan by index is right
    # and the one made for the first values (a scan of the whole table) is not.
    "options": "-c plan_cache_mode=force_generic_plan",
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"


# --- Valkey: messages, cache and short counters; no fact lives here ----------------------------------------
def _redis_database(number: int) -> str:
    """REDIS_URL with another database number, keeping user, password and options."""
    parts = urlsplit(REDIS_URL)
    return urlunsplit(parts._replace(path=f"/{number}"))


REDIS_BROKER_URL = _redis_database(0)
REDIS_CACHE_URL = _redis_database(1)
REDIS_LIVE_URL = _redis_database(2)

CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_CACHE_URL,
        "TIMEOUT": 300,
        "KEY_PREFIX": "portal",
        "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.5, "SOCKET_TIMEOUT": 0.5},
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_LIVE_URL, "socket_connect_timeout": 0.5}], "prefix": "portal"},
    }
}

# --- Celery ------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_BROKER_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 0.5,
    # Without this a message that nobody can take holds its sender for 6 s; workers reconnect by a rule of their own.
    "max_retries": 0,
    "visibility_timeout": 600,
    "global_keyprefix": "portal:",
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A wake-up is a convenience (rows are the truth), so sending one must never hold up or fail a stored write.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "portal"
# Taken is taken: a message only wakes (rows are the truth, leases bring back what a dead worker had), and one that came
# back after the visibility timeout would be too late for anybody. Remembering each until it is done was a third of what
# the consumer cost.
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(name), routing_key=name, no_ack=True)
    for name in ("portal", "record", f"probe.{PORTAL_REGION}")
]
CELERY_TASK_ROUTES = {"apps.checks.tasks.record_outcomes": {"queue": "record"}}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
# Nobody steers workers through the broker: whoever can write there, a region's machine for one, could end them all.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "tick": {"task": "apps.checks.tasks.tick", "schedule": 1.0, "options": {"expires": 2}},
    "housekeeping": {"task": "apps.checks.tasks.housekeeping", "schedule": 60.0, "options": {"expires": 60}},
}

# --- People ------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "apps.accounts.backends.RoleBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "dashboard:overview"
LOGOUT_REDIRECT_URL = "accounts:login"
SESSION_COOKIE_NAME = "portal_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = PORTAL_HTTPS
CSRF_COOKIE_NAME = "portal_csrf"
CSRF_COOKIE_SECURE = PORTAL_HTTPS
CSRF_FAILURE_VIEW = "django.views.csrf.csrf_failure"

AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "apps.accounts.views.locked_out"
AXES_HTTP_RESPONSE_CODE = 429
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False

# --- Security ------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    # Staff pages under /admin/ have a policy of their own: apps.core.middleware.AdminPolicyMiddleware.
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = PORTAL_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PORTAL_HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if PORTAL_HTTPS else 0
X_FRAME_OPTIONS = "DENY"
PORTAL_BODY_LIMIT_BYTES = 5 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = PORTAL_BODY_LIMIT_BYTES
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
# A plain-http installation on a trusted network is a supported choice, made by leaving PORTAL_HTTPS unset.
# HSTS speaks for this name alone: what runs beside the portal under the same domain is not ours to decide.
_SILENCED = ["security.W005", "security.W021"]
SILENCED_SYSTEM_CHECKS = (
    _SILENCED if PORTAL_HTTPS else [*_SILENCED, "security.W004", "security.W008", "security.W012", "security.W016"]
)

# --- Language, files -----------------------------------------------------------------------------------------
LANGUAGE_CODE = PORTAL_LANGUAGE
LANGUAGES = [("en", _("English")), ("ko", _("Korean"))]
LANGUAGE_COOKIE_NAME = "portal_language"
LANGUAGE_COOKIE_AGE = 31_536_000
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = PORTAL_STATE / "static"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    *(
        (prefix, folder)
        for prefix, folder in (
            ("vendor/uplot", BASE_DIR / "frontend/node_modules/uplot/dist"),
            ("vendor/idiomorph", BASE_DIR / "frontend/node_modules/idiomorph/dist"),
        )
        if folder.is_dir()
    ),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- REST ------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.accounts.authentication.TokenAuthentication",
        "apps.accounts.authentication.PortalJWTAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apps.accounts.permissions.RolePermission"],
    "DEFAULT_PAGINATION_CLASS": "apps.core.api.pagination.CursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["apps.core.api.filtering.StrictFilterBackend"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.core.api.parsing.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "apps.core.api.errors.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Monitor Portal API",
    "DESCRIPTION": "Everything the pages do, by token. Ids are UUIDs; lists are cursor-paginated.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "TargetKindEnum": "apps.catalog.models.TargetKind",
        "MessageTypeEnum": "apps.alerts.channels.base.MESSAGE_TYPE_CHOICES",
        "BudgetStateEnum": "apps.checks.spending.serializers.BUDGET_STATES",
        "DeliveryReasonEnum": "apps.alerts.channels.base.REASON_CHOICES",
    },
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    "CHECK_REVOKE_TOKEN": True,
    "UPDATE_LAST_LOGIN": False,
    "USER_ID_FIELD": "id",
}

UNFOLD = {
    "SITE_TITLE": _("Monitor Portal"),
    "SITE_HEADER": _("Monitor Portal"),
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
}

# --- Own health --------------------------------------------------------------------------------------------------
DJANGO_STRUCTLOG_CELERY_ENABLED = True
LOGGING = configure_logging(PORTAL_LOG_FORMAT)

if SENTRY_DSN:
    import sentry_sdk

    sentry_sdk.init(
        dsn=SENTRY_DSN,
        release=VERSION,
        send_default_pii=False,
        # Keys and prompts are in local variables while a look is taken.
        include_local_variables=False,
        traces_sample_rate=0.0,
    )
