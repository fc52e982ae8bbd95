from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Rollup",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "month",
                        "area_id",
                        "root",
                        "measure",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("month", models.IntegerField()),
                ("area_id", models.BigIntegerField()),
                ("root", models.TextField()),
                ("measure", models.TextField()),
                ("n", models.IntegerField()),
            ],
        ),
    ]
