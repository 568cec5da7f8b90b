"""The admin of channels and notifications: live state in every list, attempts beside each delivery, replay."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from apps.accounts.access import Role
from apps.accounts.doors import may
from apps.alerts import selectors, services
from apps.alerts.channels.base import CHANNEL_KINDS, MessageType, reason_label
from apps.alerts.looks import channel_look
from apps.alerts.models import Channel, Notification, NotificationAttempt
from apps.core.admin import LiveAdmin, ReadOnlyAdmin, VisibleRelatedFilter


@admin.register(Channel)
class ChannelAdmin(LiveAdmin):
    """Channels are made in the portal, where their kind has a form; here they are watched, switched and removed."""

    list_display = ["name", "kind", "environment", "destination", "enabled", "condition", "last_state", "last_at"]
    list_filter = ["kind", "enabled", ("environment", VisibleRelatedFilter)]
    search_fields = ["name"]
    fields = ["name", "kind", "environment", "destination", "enabled", "condition", "created_at", "updated_at"]
    readonly_fields = ["name", "kind", "environment", "destination", "condition", "created_at", "updated_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Channel]:
        return selectors.list_channels(request.user)

    @admin.display(description=_("leads to"))
    def destination(self, channel: Channel) -> str:
        return CHANNEL_KINDS.get(channel.kind).destination(channel.config) if channel.kind in CHANNEL_KINDS else ""

    @admin.display(description=_("condition"))
    def condition(self, channel: Channel) -> str:
        """Why nothing goes through it just now, when that is so."""
        return channel_look(channel).word

    @admin.display(description=_("last delivery"))
    def last_state(self, channel: Any) -> str:
        return str(Notification.State(channel.last_state).label) if channel.last_state else ""

    @admin.display(description=_("last used"), ordering="last_at")
    def last_at(self, channel: Any) -> Any:
        return channel.last_at

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Channel, form: Any, change: bool) -> None:
        actor: Any = request.user
        services.update_channel(actor=actor, channel=obj, enabled=obj.enabled)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Only the channels: what was sent through them stays."""
        return [str(channel) for channel in objs], {str(self.opts.verbose_name_plural): len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Channel) -> None:
        actor: Any = request.user
        services.delete_channel(actor=actor, channel=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Channel]) -> None:
        for channel in queryset:
            self.delete_model(request, channel)


class AttemptInline(TabularInline):
    model = NotificationAttempt
    fields = ["number", "at", "duration_ms", "succeeded", "status_code", "why", "answer"]
    readonly_fields = fields
    extra = 0
    can_delete = False

    @admin.display(description=_("reason"))
    def why(self, attempt: NotificationAttempt) -> str:
        return reason_label(attempt.reason)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What a receiver answered may hold what others should not read: administrators see it."""
        sees = obj is not None and may(request.user, Role.ADMIN, obj.environment_id)
        return self.fields if sees else [name for name in self.fields if name != "answer"]


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "message", "channel", "target", "state", "why", "attempts", "finished_at"]
    list_filter = ["state", "kind", ("channel", VisibleRelatedFilter), ("environment", VisibleRelatedFilter)]
    search_fields = ["id", "channel__name", "incident__target__name"]
    fields = [*list_display, "environment", "not_before", "payload"]
    readonly_fields = fields
    inlines = [AttemptInline]
    actions = ["replay"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notification]:
        return selectors.list_notifications(request.user)

    @admin.display(description=_("type"), ordering="kind")
    def message(self, notification: Notification) -> str:
        return MessageType(notification.kind).label

    @admin.display(description=_("target"))
    def target(self, notification: Notification) -> str:
        return str(notification.incident.target) if notification.incident else ""

    @admin.display(description=_("reason"))
    def why(self, notification: Notification) -> str:
        return reason_label(notification.reason) if notification.reason else ""

    @admin.action(description=_("Send again"))
    def replay(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        """What is finished is sent once more; what is not, or may not be touched by this person, is told."""
        actor: Any = request.user
        sent, problems = 0, []
        for notification in queryset:
            try:
                if not may(request.user, Role.OPERATOR, notification.environment_id):
                    raise services.DeliveryConflict(gettext("This takes the role of an operator in its environment."))
                services.replay_notification(actor=actor, notification=notification)
                sent += 1
            except services.DeliveryConflict as conflict:
                problems.append(str(conflict))
        if sent:
            told = ngettext("%(number)s notification is sent again.", "%(number)s notifications are sent again.", sent)
            self.message_user(request, told % {"number": sent}, messages.SUCCESS)
        for problem in dict.fromkeys(problems):
            self.message_user(request, problem, messages.WARNING)
