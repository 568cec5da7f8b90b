from __future__ import annotations

from django.urls import path

from apps.alerts.replies.views import reply_page

app_name = "replies"

# Short, because it stands in messages that are cut.
urlpatterns = [path("m/<str:token>/", reply_page, name="reply")]
