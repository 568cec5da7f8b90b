"""The links of one message: where it is shown, and what can be done from it without signing in.

Made at the moment of sending and never stored, so that each attempt carries links with their whole time before them.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings

from apps.alerts.replies.tokens import Purpose, make_token


def links_for(
    notification_id: UUID, alert_ids: Sequence[UUID], channel_id: UUID, *, target_ids: Sequence[UUID] = ()
) -> dict[str, str]:
    """Absolute URLs by what they do: "view" always; "acknowledge" and "silence" where it is clear of what.

    That is, where the message tells of one alert, or all its alerts are about one target (`target_ids` of the entries,
    repeated or not; a message with an alert of no target leaves it empty). No query: safe on any thread.
    """
    web = settings.PORTAL_WEB_URL.rstrip("/")
    alerts, targets = set(alert_ids), set(target_ids)
    if len(alerts) == 1:
        [alert] = alerts
        return {
            "view": f"{web}/alerts/{alert}/",
            "acknowledge": _link(web, Purpose.ACKNOWLEDGE_ALERT, alert, channel_id),
            "silence": _link(web, Purpose.SILENCE_ALERT, alert, channel_id),
        }
    view = {"view": f"{web}/alerts/"}
    if not alerts or len(targets) != 1:
        return view
    return {
        **view,
        "acknowledge": _link(web, Purpose.ACKNOWLEDGE_MESSAGE, notification_id, channel_id),
        "silence": _link(web, Purpose.SILENCE_TARGET, targets.pop(), channel_id),
    }


def _link(web: str, purpose: Purpose, subject: UUID, channel: UUID) -> str:
    return f"{web}/m/{make_token(purpose, subject=subject, channel=channel)}/"
