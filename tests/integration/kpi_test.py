"""KPIs from the command line: the table of a report that was once a slide filled in by hand, events
from worker nodes without a network, and a whole simulation job with curl alone."""

import csv
import io
import json
import os
import pathlib
import random
import signal
import subprocess
import time
import unittest

import mendel_fixture

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "ci" / "example"
NOWHERE = {"MENDEL_URL": "http://127.0.0.1:9", "MENDEL_TOKEN": ""}
NAMESPACE = "flashsim"
MC, EXPERIMENTS, TALKS, USE_CASES = "KPI2.2.1.1", "KPI2.2.1.2", "KPI2.2.1.3", "KPI2.2.1.4"
EVENTS = (EXAMPLE / "kpi" / "events.ndjson").read_text().splitlines()

THE_TABLE = [
    (MC, "N_MC billion events obtained from ML-based simulation, as demonstrated by official "
         "links in experiments' simulation databases", "N_MC ≥ 1 (billion)", "1 M events", "0.1 %"),
    (EXPERIMENTS, "N_EXP experiments have tested a machine-learning based simulation",
     "N_EXP ≥ 2", "3 experiments", "150 %"),
    (TALKS, "machine-learning use-cases tested in the context of the centre were presented at "
            "N_CONF international and national events", "N_CONF ≥ 3",
     "8 (since September 2023)", "267 %"),
    (USE_CASES, "N_UC different use-cases were tested and made available in git repositories",
     "N_UC ≥ 5", "4 use-cases", "80 %"),
]


class KpiServerTest(mendel_fixture.ServerTest):
    """A server with the model of the example, its namespace and its definitions."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.is_prepared = False

    def setUp(self):
        super().setUp()
        if not self.is_prepared:
            type(self).is_prepared = True
            for namespace in ("lhcb", NAMESPACE):
                self.mendel("namespace", "create", namespace)
            self.write("libefficiency.so", "a model")
            self.mendel("push", "model", "lhcb/efficiency", "libefficiency.so", "--no-git",
                        "--alias", "production")
            self.mendel("kpi", "define", "--file", EXAMPLE / "kpi" / "kpis.yml")
            self.prepare()

    def prepare(self):
        pass

    def report(self, *options):
        return {kpi["id"]: kpi for kpi in
                self.mendel_json("kpi", "report", *options)["kpis"]}

    def value(self, kpi, *options):
        return self.report(*options)[kpi]["value"]

    def event(self, event_id, **changes):
        return {"kpi": MC, "namespace": NAMESPACE, "event_id": event_id, "value": 1000,
                "occurred_at": "2024-02-01T12:00:00Z"} | changes

    def lines(self, events):
        return "".join(json.dumps(event) + "\n" for event in events)

    def send(self, *files, status=0):
        done = self.run_mendel("kpi", "send", *files, "--json", status=status)
        return json.loads(done.stdout)


class TableTest(KpiServerTest):
    def prepare(self):
        told = self.mendel("kpi", "record", "--file", EXAMPLE / "kpi" / "events.ndjson")
        self.assertEqual(told, f"accepted {len(EVENTS)}, duplicates 0, rejected 0\n")

    def formatted(self, name, *options):
        return self.mendel("kpi", "report", "--until", "2024-02-13", "--format", name, *options)

    def test_is_that_of_2024_02_13(self):
        report = self.report("--until", "2024-02-13")
        rows = [(kpi["id"], kpi["description"], kpi["threshold_text"], kpi["value_text"],
                 kpi["completed_text"]) for kpi in report.values()]
        self.assertEqual(sorted(rows), THE_TABLE)
        self.assertEqual([report[kpi]["value"] for kpi in (MC, EXPERIMENTS, TALKS, USE_CASES)],
                         [1_000_000, 3, 8, 4])
        for kpi in report.values():
            self.assertGreater(len(kpi["evidence"]), 0)

    def test_comes_out_for_a_terminal(self):
        text = self.formatted("table")
        for kpi, _, *cells in THE_TABLE:
            line = next(line for line in text.splitlines() if line.startswith(kpi))
            for cell in cells:
                self.assertIn(cell, line)
        self.assertIn("N_MC billion events obtained from ML-based", text)
        self.assertIn("https://bookkeeping.lhcb.example.org/prod/00201234", text)

    def test_comes_out_as_markdown(self):
        text = self.formatted("md")
        for row in THE_TABLE:
            self.assertIn("| " + " | ".join(row) + " |", text)

    def test_comes_out_as_csv(self):
        rows = list(csv.reader(io.StringIO(self.formatted("csv"))))
        for kpi, *texts in THE_TABLE:
            row = next(row for row in rows if row and row[0] == kpi)
            for text in texts:
                self.assertIn(text, row)

    def test_comes_out_as_one_html_page(self):
        self.mendel("kpi", "report", "--until", "2024-02-13", "--format", "html",
                    "--output", "report.html")
        page = self.path("report.html").read_text()
        for kpi, _, *texts in THE_TABLE:
            for text in (kpi, *texts):
                self.assertIn(text, page)
        self.assertIn("<svg", page)
        self.assertNotIn("<script", page)

    def test_goes_on_after_that_day(self):
        report = self.report()
        self.assertEqual([report[kpi]["value"] for kpi in (MC, EXPERIMENTS, TALKS, USE_CASES)],
                         [3_400_000, 3, 9, 5])

    def test_has_parts(self):
        def parts(by, kpi=MC):
            report = self.report("--until", "2024-02-13", "--by", by)
            return {part["key"]: part["value"] for part in report[kpi]["by"]}

        self.assertEqual(parts("experiment"),
                         {"LHCb": 700_000, "CMS": 200_000, "ALICE": 100_000})
        self.assertEqual(parts("model"), {"lhcb/efficiency:1": 700_000, "": 300_000})
        self.assertEqual(parts("month"), {"2023-11": 500_000, "2023-12": 200_000,
                                          "2024-01": 200_000, "2024-02": 100_000})
        self.assertIn("LHCb", self.mendel("kpi", "report", "--by", "experiment"))

    def test_stays_the_same_when_all_is_sent_again(self):
        answer = self.send(EXAMPLE / "kpi" / "events.ndjson", EXAMPLE / "kpi" / "events.ndjson")
        self.assertEqual((answer["accepted"], answer["duplicates"], answer["rejected_count"]),
                         (0, 2 * len(EVENTS), 0))
        self.assertEqual(self.value(MC, "--until", "2024-02-13"), 1_000_000)

    def test_says_what_was_produced_with_what_came_from_a_model(self):
        impact = self.mendel_json("kpi", "impact", "lhcb/efficiency:1")
        found = next(kpi for kpi in impact["kpis"] if kpi["id"] == MC)
        self.assertEqual(found["value"], 3_100_000)
        self.assertIn(MC, self.mendel("kpi", "impact", "lhcb/efficiency:1"))


class DefinitionTest(KpiServerTest):
    def define(self, *options, status=0):
        return self.run_mendel("kpi", "define", *options, status=status)

    def test_says_what_changes(self):
        again = self.define("--file", EXAMPLE / "kpi" / "kpis.yml").stdout
        self.assertEqual(again.splitlines(), [f"{row[0]}: unchanged" for row in THE_TABLE])

        first = self.define("K1", "--title", "one", "--threshold", "10", "--namespace",
                            self.namespace, "--count", "distinct:site", "--filter",
                            "experiment=LHCb", "--filter", "experiment=CMS").stdout
        self.assertEqual(first, "K1: new\n")
        change = ("K1", "--title", "one", "--threshold", "20", "--namespace", self.namespace,
                  "--count", "entries")
        told = self.define(*change, "--dry-run").stdout
        self.assertIn("K1: changed", told)
        self.assertIn("~ /threshold: 10.0 -> 20.0", told)
        self.assertIn("- /filter", told)
        self.assertEqual(self.mendel_json("kpi", "show", "K1")["revision"], 1)
        self.define(*change)

        shown = self.mendel_json("kpi", "show", "K1")
        self.assertEqual(shown["revision"], 2)
        self.assertEqual([revision["definition"]["threshold"] for revision in shown["revisions"]],
                         [20, 10])
        self.assertIn("revision 1", self.mendel("kpi", "show", "K1"))
        self.assertIn("K1", self.mendel("kpi", "list"))

    def test_says_what_is_wrong(self):
        refused = self.define("K2", "--title", "no threshold", "--namespace", self.namespace,
                              status=1)
        self.assertIn("/threshold", refused.stderr)
        self.define("K2", "--file", "x.yml", status=1)
        self.define("--file", "not-there.yml", status=10)
        self.write("x.yml", "kpis: [{title: no id}]")
        self.assertIn("x.yml, KPI 1: needs \"id\"", self.define("--file", "x.yml", status=1).stderr)


class EventTest(KpiServerTest):
    def record(self, event_id, *options, status=0, value=1000, **changes):
        return self.run_mendel("kpi", "record", "--kpi", MC, "--namespace", NAMESPACE,
                               "--event-id", event_id, "--value", value, "--occurred-at",
                               "2024-02-01T12:00:00Z", *options, status=status, **changes)

    def correct(self, event_id, value, *options, status=0):
        return self.run_mendel("kpi", "correct", "--kpi", MC, "--namespace", NAMESPACE,
                               "--event-id", event_id, "--value", value, "--reason", "recounted",
                               *options, status=status)

    def test_counts_once(self):
        before = self.value(MC)
        model = ("--model", "lhcb/efficiency:1", "--subject", "experiment=LHCb", "--evidence",
                 "https://lhcb.example.org/1", "--resource", "cpu_seconds=12.5")
        self.assertIn("recorded once/1", self.record("once/1", *model).stdout)
        self.assertIn("was recorded before", self.record("once/1", *model).stdout)
        self.record("once/1", *model, status=11, value=1001)
        self.assertEqual(self.value(MC), before + 1000)
        self.record("once/2", "--model", "lhcb/efficiency:99", status=10)
        self.assertIn("moves", self.record("once/2", "--model", "lhcb/efficiency@production",
                                           status=1).stderr)
        self.assertEqual(self.value(MC), before + 1000)
        found = self.mendel_json("kpi", "events", "--kpi", MC)["items"]
        self.assertIn("once/1", [item["event_id"] for item in found])
        self.assertIn("once/1", self.mendel("kpi", "events", "--kpi", MC))

    def test_is_corrected_by_another_entry(self):
        before = self.value(MC)
        self.record("wrong/1")
        self.correct("wrong/1", 900)
        self.assertEqual(self.value(MC), before + 900)
        self.assertIn("nothing was changed", self.correct("wrong/1", 900).stdout)
        self.correct("wrong/1", 0)
        self.assertEqual(self.value(MC), before)
        self.correct("wrong/1", 900, "--id", "wrong/1/again")
        self.assertEqual(self.value(MC), before + 900)
        self.correct("not/there", 1, status=10)

    def test_rejected_lines_are_told_and_lose_nothing_else(self):
        before = self.value(MC)
        good = [self.event(f"mixed/{i}") for i in range(3)]
        text = (self.lines(good[:1]) + "\nno JSON\n" + self.lines([
            self.event("mixed/x", kpi="K9"), self.event("mixed/y", value=-1),
            self.event("mixed/z", evidence=["no link"]),
            self.event("mixed/late", occurred_at="2999-01-01T00:00:00Z")]) +
            self.lines(good[1:]) + "x" * 70_000 + "\n" + '{"kpi": "cut sho')
        self.write("mixed.ndjson", text)
        answer = self.send("mixed.ndjson", status=1)
        self.assertEqual(answer["accepted"], 3)
        self.assertEqual(answer["rejected_count"], 6)
        self.assertEqual(sorted(row["line"] for row in answer["rejected"]), [3, 4, 5, 6, 7, 10])
        self.assertEqual(len(answer["notes"]), 1)
        self.assertEqual(self.value(MC), before + 3000)

        told = self.run_mendel("kpi", "send", "mixed.ndjson", status=1)
        self.assertEqual(told.stdout, "accepted 0, duplicates 3, rejected 6\n")
        self.assertIn("mixed.ndjson:4: mixed/x: ", told.stderr)
        self.assertIn("the last line is no whole event", told.stderr)

    def test_many_lines_travel_in_several_requests(self):
        before = self.value(MC)
        count = 45_000
        self.write("many.ndjson", self.lines(self.event(f"many/{i}", value=1)
                                             for i in range(count)))
        self.assertEqual(self.send("many.ndjson")["accepted"], count)
        self.assertEqual(self.send("many.ndjson")["duplicates"], count)
        self.assertEqual(self.value(MC), before + count)

    def test_a_server_that_is_away_is_said_so(self):
        self.write("one.ndjson", self.lines([self.event("away/1")]))
        self.run_mendel("kpi", "send", "not-there.ndjson", status=10)
        self.run_mendel("kpi", "record", "--kpi", MC, status=1)


class JournalTest(KpiServerTest):
    """On a node without a network, events are appended to a file."""

    def start_writer(self, number):
        """A shell that records one event after the other, and says which ones it has."""
        script = ('n=0; while :; do n=$((n + 1)); "$MENDEL" kpi record --kpi "$0" --namespace "$1"'
                  ' --event-id "node$2/$n" --value 1 --occurred-at 2024-02-01T12:00:00Z'
                  ' --journal journal.ndjson || exit; done')
        environment = self.environment(**NOWHERE) | {"MENDEL": os.environ["MENDEL"]}
        return subprocess.Popen(["sh", "-c", script, MC, NAMESPACE, str(number)],
                                cwd=self.directory, env=environment, stdout=subprocess.PIPE,
                                text=True, start_new_session=True)

    def test_keeps_what_was_acknowledged_when_its_writers_are_killed(self):
        before = self.value(MC)
        acknowledged = []
        for round_ in range(4):
            writers = [self.start_writer(3 * round_ + i) for i in range(3)]
            first = [writer.stdout.readline() for writer in writers]
            time.sleep(random.uniform(0, 0.3))
            for writer in writers:
                os.killpg(writer.pid, signal.SIGKILL)
            for writer, line in zip(writers, first):
                acknowledged += [line.strip(), *writer.stdout.read().split()]
                writer.wait()
                writer.stdout.close()
        self.assertGreaterEqual(len(set(acknowledged)), 12)

        answer = self.send("journal.ndjson")
        self.assertEqual(answer["rejected_count"], 0)
        self.assertGreaterEqual(answer["accepted"], len(set(acknowledged)))
        self.assertEqual(self.value(MC), before + answer["accepted"])
        again = self.send("journal.ndjson", "journal.ndjson")
        self.assertEqual((again["accepted"], again["duplicates"]), (0, 2 * answer["accepted"]))

        whole = [json.loads(line)["event_id"] for line in
                 self.path("journal.ndjson").read_text().split("\n")[:-1]]
        self.assertLessEqual(set(acknowledged), set(whole))

    def test_takes_corrections_and_files_too(self):
        before = self.value(MC)
        self.write("more.ndjson", self.lines([self.event("file/1"), self.event("file/2")]))
        self.assertEqual(self.mendel("kpi", "record", "--file", "more.ndjson", "--journal",
                                     "kpi.ndjson", **NOWHERE), "2 events\n")
        self.mendel("kpi", "correct", "--kpi", MC, "--namespace", NAMESPACE, "--event-id",
                    "file/1", "--value", "10", "--reason", "recounted",
                    MENDEL_KPI_JOURNAL="kpi.ndjson", **NOWHERE)
        self.assertEqual(self.send("kpi.ndjson")["accepted"], 3)
        self.assertEqual(self.value(MC), before + 1010)


class JobTest(KpiServerTest):
    """A worker node has a token of scope kpi, and curl."""

    def kpi_token(self):
        name = f"jobs-{self.namespace}"
        self.mendel("principal", "create", name, "--kind", "service")
        self.mendel("namespace", "grant", "lhcb", name, "reader")
        self.mendel("namespace", "grant", NAMESPACE, name, "writer")
        made = self.mendel_json("token", "create", "--principal", name, "--name", "node",
                                "--scope", "kpi")
        return made["secret"]

    def push_model(self):
        """One that can be loaded, for the platform of the example; its reference."""
        if not self.path("trained").exists():
            subprocess.run([EXAMPLE / "train", "--out", self.path("trained")], check=True,
                           stdout=subprocess.DEVNULL)
        platform = "x86_64_v2-el9-gcc12-opt"
        told = self.mendel("push", "model", "lhcb/trained", "--no-git", "--alias", "production",
                           "--platform",
                           f"{platform}={self.path('trained') / platform / 'libefficiency.so'}")
        return told.split()[0], platform

    def job(self, token, platform, output, status=0):
        done = subprocess.run(
            [EXAMPLE / "kpi" / "job.sh", "lhcb/trained", "production", "libefficiency.so",
             platform, "500", output, "--", EXAMPLE / "kpi" / "simulate"],
            env=self.environment(MENDEL_TOKEN=token, KPI=MC, NAMESPACE=NAMESPACE,
                                 EXPERIMENT="LHCb", CAMPAIGN="2018MU", SITE="CNAF",
                                 EVIDENCE="https://lhcb.example.org/prod/1"),
            capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def test_runs_with_curl_alone_and_counts_once(self):
        reference, platform = self.push_model()
        token = self.kpi_token()
        before = self.value(MC)
        told = self.job(token, platform, "/lhcb/MC/00212345_1.sim")
        self.assertIn(f"simulating 500 events with {reference} (sha256:", told)
        self.assertIn("reported /lhcb/MC/00212345_1.sim", told)
        self.assertIn("/lhcb/MC/00212345_1.sim", self.job(token, platform,
                                                          "/lhcb/MC/00212345_1.sim"))
        self.assertEqual(self.value(MC), before + 500)
        parts = self.report("--by", "model")[MC]["by"]
        self.assertIn((reference, 500), [(part["key"], part["value"]) for part in parts])

        shown = self.mendel_json("show", reference)
        self.assertEqual(shown["downloads"]["downloads"], 2)
        self.assertIn("downloads", self.mendel("show", reference))

    def test_a_kpi_token_records_and_reads_models_and_nothing_else(self):
        token = self.kpi_token()
        as_job = {"MENDEL_TOKEN": token}
        self.mendel("pull", "lhcb/efficiency@production", "--to", "model", **as_job)
        self.assertEqual(self.path("model/libefficiency.so").read_text(), "a model")
        self.mendel("kpi", "record", "--kpi", MC, "--namespace", NAMESPACE, "--event-id",
                    "token/1", "--value", "1", "--occurred-at", "2024-02-01T12:00:00Z", **as_job)
        self.write("x", "another model")
        for arguments in (("push", "model", "lhcb/efficiency", "x", "--no-git"),
                          ("alias", "set", "lhcb/efficiency@production", "1"),
                          ("kpi", "define", "K9", "--title", "x", "--threshold", "1",
                           "--namespace", NAMESPACE),
                          ("kpi", "correct", "--kpi", MC, "--namespace", NAMESPACE, "--event-id",
                           "token/1", "--value", "0", "--reason", "x"),
                          ("token", "list")):
            done = self.run_as(token, *arguments)
            self.assertIn(done.returncode, (10, 12), f"{arguments}: {done.stdout}{done.stderr}")
        for arguments in (("list",), ("kpi", "report"), ("kpi", "list"), ("kpi", "events"),
                          ("search", "name:*")):
            done = self.run_as(token, *arguments)
            for name in ("efficiency", MC, "token/1"):
                self.assertNotIn(name, done.stdout, arguments)

    def run_as(self, token, *arguments):
        return subprocess.run([os.environ["MENDEL"], *arguments], cwd=self.directory,
                              env=self.environment(MENDEL_TOKEN=token), capture_output=True,
                              text=True, timeout=60, check=False)


class SealTest(KpiServerTest):
    def test_stays_verifiable_while_the_ledger_goes_on(self):
        self.write("first.ndjson", self.lines(self.event(f"seal/{i}") for i in range(5)))
        self.send("first.ndjson")
        sealed = self.mendel_json("kpi", "report", "--seal", "--until", "2024-02-13")
        digest, at = sealed["digest"], sealed["at"]
        self.assertEqual(self.value(MC), 5000)

        self.write("late.ndjson", self.lines(self.event(f"late/{i}") for i in range(3)))
        self.send("late.ndjson")
        self.mendel("kpi", "correct", "--kpi", MC, "--namespace", NAMESPACE, "--event-id",
                    "seal/0", "--value", "1", "--reason", "recounted")
        self.assertEqual(self.value(MC, "--until", "2024-02-13"), 5000 - 999 + 3000)
        self.assertEqual(self.value(MC, "--until", "2024-02-13", "--at", at), 5000)

        told = self.mendel("kpi", "verify-report", digest)
        self.assertIn("the report follows from the ledger", told)
        self.assertIn(digest, self.mendel("kpi", "reports"))

        status, _, document = self.server.request("GET", f"/api/v1/kpi-reports/{digest}")
        self.assertEqual(status, 200)
        self.write("sealed.json", document)
        self.mendel("kpi", "verify-report", "sealed.json")
        forged = json.loads(document)
        forged["kpis"][0]["value"] += 1
        self.write("forged.json", json.dumps(forged))
        self.run_mendel("kpi", "verify-report", "forged.json", status=14)

        since = self.report("--until", "2024-02-13")[MC]
        self.assertEqual(since["change"], 3000 - 999)
        self.mendel("admin", "fsck", "--ledger")


if __name__ == "__main__":
    unittest.main()
