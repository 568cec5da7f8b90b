from monitor_portal.settings.base import *  # noqa: F403
