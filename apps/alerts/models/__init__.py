"""The tables of telling, by what they hold."""

from apps.alerts.models.alert import Alert, AlertDecision, AlertEvent, AlertSource, Severity
from apps.alerts.models.channel import Channel, kind_choices
from apps.alerts.models.group import AlertGroup, GroupMember
from apps.alerts.models.notification import Notification, NotificationAttempt
from apps.alerts.models.route import Route
from apps.alerts.models.rule import Rule, RuleState
from apps.alerts.models.silence import Silence

__all__ = [
    "Alert",
    "AlertDecision",
    "AlertEvent",
    "AlertGroup",
    "AlertSource",
    "Channel",
    "GroupMember",
    "Notification",
    "NotificationAttempt",
    "Route",
    "Rule",
    "RuleState",
    "Severity",
    "Silence",
    "kind_choices",
]
