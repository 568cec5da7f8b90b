# Counted for hours only, so what is there is made anew: a composite key cannot be altered.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("checks", "0008_vendor_pages")]

    operations = [
        migrations.DeleteModel(name="AiErrorTotal"),
        migrations.CreateModel(
            name="AiErrorTotal",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "target_id",
                        "error_class",
                        "fault",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("target_id", models.UUIDField()),
                ("error_class", models.CharField(max_length=32)),
                ("fault", models.CharField(max_length=16)),
                ("looks", models.PositiveBigIntegerField(default=0)),
            ],
            options={
                "verbose_name": "errors of a model",
                "verbose_name_plural": "errors of models",
            },
        ),
    ]
