"""A matter of another system is taken once: its reference becomes unique within its channel."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("cases", "0002_append_only")]
    operations = [
        migrations.RemoveIndex(model_name="appeal", name="appeal_source_ref"),
        migrations.AddConstraint(
            model_name="appeal",
            constraint=models.UniqueConstraint(
                fields=["channel", "source_ref"], condition=~Q(source_ref=""), name="appeal_source_ref"
            ),
        ),
    ]
