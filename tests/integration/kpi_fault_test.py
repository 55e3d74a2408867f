"""Two hundred reporters at once, each of whose events others send, too, while the server is killed
again and again: each event counts exactly once, and the ledger is whole.

MENDEL_KILL_ROUNDS says how many kills there are, MENDEL_TEST_SEED repeats the choices of a run.
"""

import collections
import http.client
import json
import os
import random
import signal
import subprocess
import threading
import time
import unittest

import mendel_fixture

KILLS = int(os.environ.get("MENDEL_KILL_ROUNDS", "8"))
SEED = int(os.environ.get("MENDEL_TEST_SEED", str(random.randrange(1 << 30))))

REPORTERS = 200
EVENTS = 20_000
SENDERS_OF_EACH = 3
CORRECTED_EVERY = 50
BATCH_MAX = 400
HANG_SECONDS = 240
KPI = "K1"


def event(number):
    return {"kpi": KPI, "namespace": "lhcb", "event_id": f"file/{number}", "value": number % 7 + 1,
            "occurred_at": f"2024-02-{number % 28 + 1:02}T12:00:00Z",
            "subject": {"experiment": f"e{number % 3}"},
            "evidence": [f"https://example.org/{number % 10}"]}


def correction(number):
    return {"kpi": KPI, "namespace": "lhcb", "event_id": f"fix/{number}",
            "corrects": f"file/{number}", "value": 0 if number % 100 == 0 else 100,
            "reason": "recounted"}


def corrected(number):
    return number % CORRECTED_EVERY == 0


def value_in_the_end(number):
    return correction(number)["value"] if corrected(number) else event(number)["value"]


class Reporter(threading.Thread):
    """Sends its events in batches of its own order, until the server has acknowledged each of
    them; then what corrects them."""

    def __init__(self, test, number, events):
        super().__init__(daemon=True)
        self.test = test
        self.random = random.Random(f"{SEED} reporter {number}")
        self.events = events
        self.counts = collections.Counter()
        self.failure = None

    def run(self):
        try:
            self.report([event(number) for number in self.events])
            self.report([correction(number) for number in self.events if corrected(number)])
        except Exception as error:  # told by the test
            self.failure = error

    def report(self, rows):
        self.random.shuffle(rows)
        while rows:
            size = self.random.randint(1, BATCH_MAX)
            batch, rows = rows[:size], rows[size:]
            # Some that were sent before are among them.
            self.deliver(batch + self.random.sample(batch, len(batch) // 10))

    def deliver(self, batch):
        body = "".join(json.dumps(row) + "\n" for row in batch).encode()
        while not self.test.is_over.is_set():
            try:
                status, answer = self.send(body)
            except (OSError, http.client.HTTPException):
                self.counts["broken"] += 1
                time.sleep(self.random.uniform(0.05, 0.5))
                continue
            if status == 503 or status == 429:
                self.counts["busy"] += 1
                time.sleep(self.random.uniform(0.05, 0.5))
                continue
            assert status == 200, (status, answer)
            told = json.loads(answer)
            assert told["rejected"] == [], told["rejected"][:3]
            assert told["accepted"] + told["duplicates"] == len(batch), told
            self.counts["accepted"] += told["accepted"]
            self.counts["duplicates"] += told["duplicates"]
            return

    def send(self, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.test.server.port, timeout=60)
        try:
            connection.request("POST", "/api/v1/kpi-events", body, {
                "Authorization": "Bearer " + self.test.server.token,
                "Content-Type": "application/x-ndjson"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


class KpiFaultTest(unittest.TestCase):
    def setUp(self):
        print(f"MENDEL_TEST_SEED={SEED}", flush=True)
        self.random = random.Random(f"{SEED} killer")
        self.server = mendel_fixture.Server(port=mendel_fixture.free_port())
        self.addCleanup(self.server.remove)
        self.is_over = threading.Event()
        self.addCleanup(self.is_over.set)
        self.put("/api/v1/namespaces/lhcb", {})
        self.put(f"/api/v1/kpis/{KPI}", {"title": "events", "threshold": 1e6,
                                         "namespaces": ["lhcb"]})

    def put(self, path, document):
        status, _, body = self.server.request("PUT", path, json.dumps(document).encode(),
                                              {"Content-Type": "application/json"})
        self.assertIn(status, (200, 201), body)

    def report(self):
        status, _, body = self.server.request("GET", "/api/v1/kpi-report?by=experiment")
        self.assertEqual(status, 200, body)
        return json.loads(body)["kpis"][0]

    def start_reporters(self):
        choice = random.Random(f"{SEED} share")
        shares = [[] for _ in range(REPORTERS)]
        for number in range(EVENTS):
            for reporter in choice.sample(range(REPORTERS), SENDERS_OF_EACH):
                shares[reporter].append(number)
        reporters = [Reporter(self, number, share) for number, share in enumerate(shares)]
        for reporter in reporters:
            reporter.start()
        return reporters

    def kill_at_random(self, reporters):
        kills = 0
        while kills < KILLS and any(reporter.is_alive() for reporter in reporters):
            time.sleep(self.random.uniform(0.05, 1.5))
            self.server.stop(signal.SIGKILL)
            self.server.start()
            kills += 1
        return kills

    def test_each_event_counts_once(self):
        reporters = self.start_reporters()
        kills = self.kill_at_random(reporters)
        deadline = time.monotonic() + HANG_SECONDS
        for reporter in reporters:
            reporter.join(max(0, deadline - time.monotonic()))
            self.assertFalse(reporter.is_alive(), "a reporter hangs")
            self.assertIsNone(reporter.failure)
        counts = sum((reporter.counts for reporter in reporters), collections.Counter())
        print(f"{kills} kills; {dict(counts)}", flush=True)
        self.assertGreater(kills, 0)
        self.assertGreater(counts["duplicates"], 0)

        corrections = sum(map(corrected, range(EVENTS)))
        # An answer that a kill cut off was an acceptance, and its repetition a duplicate.
        self.assertLessEqual(counts["accepted"], EVENTS + corrections)

        kpi = self.report()
        values = [value_in_the_end(number) for number in range(EVENTS)]
        self.assertEqual(kpi["value"], sum(values))
        self.assertEqual(kpi["entries"], sum(value != 0 for value in values))
        self.assertEqual({part["key"]: part["value"] for part in kpi["by"]},
                         {f"e{remainder}": sum(values[remainder::3]) for remainder in range(3)})

        environment = dict(os.environ, MENDEL_URL=self.server.url, MENDEL_TOKEN=self.server.token)
        checked = subprocess.run([os.environ["MENDEL"], "admin", "fsck", "--ledger", "--json"],
                                 env=environment, capture_output=True, text=True, timeout=300)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        found = json.loads(checked.stdout)
        self.assertEqual(found["problems"], [])
        self.assertEqual(found["entries"], EVENTS + corrections)


if __name__ == "__main__":
    unittest.main()
