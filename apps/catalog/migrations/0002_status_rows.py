"""Every target has a status row from birth: heal those without one, and give the rows room to be updated in place."""

from __future__ import annotations

from typing import Any

from django.db import migrations

HEAL = """
INSERT INTO catalog_targetstatus (target_id, status, since, reason, version)
SELECT t.id, 'unknown', now(), 'not_measured', 0 FROM catalog_target t
ON CONFLICT (target_id) DO NOTHING
"""
ROOM = "ALTER TABLE catalog_targetstatus SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05)"


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations: list[Any] = [
        migrations.RunSQL(ROOM, migrations.RunSQL.noop),
        migrations.RunSQL(HEAL, migrations.RunSQL.noop),
    ]
