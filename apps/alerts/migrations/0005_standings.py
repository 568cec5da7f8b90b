from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0004_broken_channels"),
    ]

    operations = [
        migrations.AddField(
            model_name="rulestate",
            name="severity",
            field=models.CharField(blank=True, default="", max_length=16),
        ),
        migrations.AddField(
            model_name="rulestate",
            name="worst_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
