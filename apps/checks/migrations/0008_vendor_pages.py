from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("checks", "0007_ai_hours_of_kinds")]

    operations = [
        migrations.AddField("vendorpage", "problem_values", models.JSONField(blank=True, default=dict)),
        migrations.AddField("vendorpage", "looked_at", models.DateTimeField(null=True)),
        migrations.AddField("vendorincident", "said_at", models.DateTimeField(null=True)),
    ]
