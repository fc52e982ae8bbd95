"""The second line of the append-only ledger: triggers that refuse change and removal to everybody.

The first line is the grant (`config/grants.py`), the proof is the chain; nothing relies on these triggers.
"""

from django.db import migrations

REFUSE = """
CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER entry_append_only BEFORE UPDATE OR DELETE ON cases_entry
  FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER entry_never_emptied BEFORE TRUNCATE ON cases_entry
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
"""

ALLOW = """
DROP TRIGGER entry_never_emptied ON cases_entry;
DROP TRIGGER entry_append_only ON cases_entry;
DROP FUNCTION ledger_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial")]
    operations = [migrations.RunSQL(REFUSE, ALLOW)]
