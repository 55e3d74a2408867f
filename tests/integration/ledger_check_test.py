"""The ledger as an administrator checks it: what the check says, and its exit status, when
somebody has been at the database."""

import json
import pathlib
import time
import unittest

import mendel_fixture

DAMAGED = 14
USAGE = 2

# An entry in a batch of its own, as a recorder leaves it; its hash is that of its canonical form.
RECORD = """
with entry as (
  insert into kpi_entry (batch_id, position, kpi_id, namespace_id, event_id, occurred_at, value,
                         amount, weight, hash)
  select nextval('kpi_batch_id'), 0, k.id, n.id, '{event}', '2024-02-01 00:00:00+00', {value},
         {value}, 1,
         sha256(convert_to('{{"event_id":"{event}","kpi":"' || k.name || '","namespace":"' || n.name
                           || '","occurred_at":"2024-02-01T00:00:00Z","value":{value}}}', 'UTF8'))
    from kpi k, namespace n
   where k.name = '{kpi}' and n.name = '{namespace}'
  returning batch_id, hash
)
insert into kpi_batch (id, entry_count, digest, received_at, principal_id)
select batch_id, 1, sha256(hash), now(), 1 from entry
"""


class LedgerCheckTest(mendel_fixture.ServerTest):
    def setUp(self):
        super().setUp()
        self.kpi = f"{self.namespace}-events"
        definition = {"title": "Events", "threshold": 10, "namespaces": [self.namespace]}
        status, _, answer = self.server.request("PUT", f"/api/v1/kpis/{self.kpi}",
                                                json.dumps(definition).encode())
        self.assertEqual(status, 201, answer)

    def record(self, event, value):
        chained = self.count("sequence is not null")
        self.server.psql(RECORD.format(event=event, value=value, kpi=self.kpi,
                                       namespace=self.namespace))
        self.eventually(lambda: self.count("sequence is not null") == chained + 1)

    def count(self, condition):
        return int(self.server.psql(f"select count(*) from kpi_batch where {condition}"))

    def eventually(self, condition):
        deadline = time.monotonic() + 20
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def anchors(self):
        return list(pathlib.Path(self.server.data / "objects" / "ledger" / "anchors").glob("*"))

    def test_what_was_altered_is_named_and_fails_the_command(self):
        self.record("job 1", 5)
        self.record("job 2", 7)
        for arguments in [[], ["--ledger"]]:
            self.assertRegex(self.mendel("admin", "fsck", *arguments),
                             r"ledger: \d+ entries in \d+ batches, up to sha256:[0-9a-f]{64}\n")

        self.server.psql("update kpi_entry set value = 6, amount = 6 where event_id = 'job 1'")
        checked = self.run_mendel("admin", "fsck", status=DAMAGED)
        self.assertIn(f"damaged: KPI {self.kpi}, event job 1 of {self.namespace}, batch",
                      checked.stdout)
        self.assertIn("it is not what was recorded", checked.stdout)
        report = json.loads(
            self.run_mendel("admin", "fsck", "--ledger", "--json", status=DAMAGED).stdout)
        self.assertEqual(report["entries"], report["head"]["entries"])
        self.assertTrue(any("event job 1" in problem for problem in report["problems"]))

        self.server.psql("update kpi_entry set value = 5, amount = 5 where event_id = 'job 1'")
        self.mendel("admin", "fsck")

    def test_the_end_is_anchored_when_the_server_stops(self):
        self.record("job 3", 1)
        before = self.count("sequence is not null")
        self.server.stop()
        self.server.start()
        last = max(self.anchors())
        self.assertEqual(last.name.partition("-")[0], f"{before:020}")
        self.assertEqual(json.loads(last.read_text())["sequence"], before)
        self.assertIn(str(before), self.mendel("admin", "fsck"))

    def test_flags_that_do_not_go_together_are_refused(self):
        self.run_mendel("admin", "fsck", "--ledger", "--rebuild-index", status=USAGE)
        self.run_mendel("admin", "fsck", "--verify", status=USAGE)


if __name__ == "__main__":
    unittest.main()
