from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0005_number_and_place_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="case",
            name="response_late",
            field=models.BooleanField(null=True),
        ),
        migrations.AddIndex(
            model_name="duty",
            index=models.Index(
                condition=models.Q(("met_at__isnull", True), ("provisional", True), ("voided_at__isnull", True)),
                fields=["case"],
                name="duty_guessed",
            ),
        ),
    ]
