"""What is recorded in a journal without a network, and delivered later by `mendel send`."""

import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import time
import unittest

import mendel_fixture

NOWHERE = {"MENDEL_URL": "http://127.0.0.1:9", "MENDEL_TOKEN": ""}
HEAD_SIZE = 48


def frames(path):
    """The payloads of a journal that is whole, read by the format's description."""
    data = path.read_bytes()
    assert data.startswith(b"mendel journal 1"), data[:HEAD_SIZE]
    records, offset = [], HEAD_SIZE
    while offset < len(data):
        mark, _, length = struct.unpack_from("<4sII", data, offset)
        assert mark == b"\xffMJ\x01", (offset, mark)
        records.append(json.loads(data[offset + 12:offset + 12 + length]))
        assert data[offset + 12 + length:offset + 20 + length] == struct.pack(
            "<I4s", length, b"\xffMJ\x02")
        offset += 20 + length
    return records


class JournalTest(mendel_fixture.ServerTest):
    def offline(self, *arguments, **options):
        return self.mendel(*arguments, "--journal", "j", **NOWHERE, **options)

    def start(self, *options):
        return self.offline("run", "start", f"{self.namespace}/r", "--no-git", *options).strip()

    def log(self, run, step, value):
        self.offline("run", "log", "--run", run, "--metric", f"loss={value}", "--step", str(step))

    def finish(self, run):
        self.offline("run", "finish", "--run", run, "--status", "finished")

    def send(self, *options, status=0):
        return self.run_mendel("send", "j", *options, status=status)

    def sent(self, *options, status=0):
        return json.loads(self.send("--json", *options, status=status).stdout)

    def get(self, path):
        status, _, body = self.server.request("GET", path)
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def points(self, run, name="loss"):
        return [(point["step"], point["value"]) for point in
                self.get(f"/api/v1/runs/{run}/metrics?name={name}")["points"]]

    def records(self):
        return frames(self.path("j/journal"))

    def blobs(self):
        return sorted(path.name for path in self.path("j/blobs").rglob("*") if path.is_file())


class DeliveryTest(JournalTest):
    def record_all(self):
        self.write("p.yml", "lr: 1e-3\n")
        run = self.start("--params", "p.yml", "--keep", "last:1", "--label", "a=b")
        for step in range(5):
            self.log(run, step, step / 2)
        for step in range(2):
            self.write("w/weights", f"of step {step}")
            self.offline("run", "checkpoint", "--run", run, "--step", str(step), "--metric",
                         "chi2=nan", "w")
        self.finish(run)
        return run

    def test_delivers_a_whole_run(self):
        run = self.record_all()
        self.assertEqual(self.send().stderr, "")
        found = self.get(f"/api/v1/runs/{run}")
        self.assertEqual(found["status"], "finished")
        self.assertEqual(found["hyperparameters"]["value"], {"lr": 0.001})
        self.assertEqual(found["labels"], {"a": "b"})
        self.assertEqual(self.points(run), [(step, step / 2) for step in range(5)])
        checkpoints = self.get(f"/api/v1/runs/{run}/checkpoints")["items"]
        self.assertEqual([(item["step"], item["state"], item["metrics"]) for item in checkpoints],
                         [(1, "kept", {"chi2": "NaN"}), (0, "dropped", {"chi2": "NaN"})])

    def test_keeps_the_times_at_which_it_happened(self):
        run = self.record_all()
        records = self.records()
        self.send()
        found = self.get(f"/api/v1/runs/{run}")
        self.assertEqual(found["started_at"], records[0]["body"]["started_at"])
        self.assertEqual(found["finished_at"], records[-1]["body"]["finished_at"])
        points = self.get(f"/api/v1/runs/{run}/metrics?name=loss")["points"]
        self.assertEqual(points[0]["time"], records[1]["metrics"][0]["time"])

    def test_is_sent_as_often_as_one_likes(self):
        run = self.record_all()
        first = self.sent()
        self.assertEqual((first["runs"], first["points"], first["checkpoints"], first["finished"]),
                         (1, 5, 2, 1))
        self.assertEqual(self.sent()["runs"], 0)
        self.path("j/delivered").unlink()  # as if a kill had come before it was written
        whole = self.get(f"/api/v1/runs/{run}")
        again = self.sent()
        self.assertEqual((again["points"], again["duplicate_points"], again["refused"]),
                         (0, 5, []))
        self.assertEqual(self.get(f"/api/v1/runs/{run}"), whole)

    def test_goes_on_with_what_was_appended_since(self):
        run = self.start()
        self.log(run, 1, 1)
        self.assertEqual(self.sent()["points"], 1)
        self.log(run, 2, 2)
        self.finish(run)
        self.assertEqual((second := self.sent())["points"], 1)
        self.assertEqual((second["runs"], second["finished"]), (0, 1))
        self.assertEqual(self.points(run), [(1, 1), (2, 2)])

    def test_removes_what_was_delivered(self):
        self.record_all()
        self.assertNotEqual(self.blobs(), [])
        self.send("--remove")
        self.assertFalse(self.path("j/journal").exists())
        self.assertEqual(self.blobs(), [])
        run = self.start()
        self.log(run, 1, 5)
        self.send("--remove")
        self.assertEqual(self.points(run), [(1, 5)])

    def test_executes_a_command_without_a_network(self):
        run = self.mendel("run", "exec", "--journal", "j", "--name", f"{self.namespace}/r",
                          "--no-git", "--", "sh", "-c",
                          "echo $MENDEL_RUN; \"$0\" run log --metric loss=3 --step 4; exit 6",
                          os.environ["MENDEL"], status=6, **NOWHERE).strip()
        self.send()
        found = self.get(f"/api/v1/runs/{run}")
        self.assertEqual((found["status"], found["exit_status"]), ("failed", 6))
        self.assertGreater(found["resources"]["wall_seconds"], 0)
        self.assertNotIn("heartbeat_seconds", found)
        self.assertEqual(self.points(run), [(4, 3)])

    def test_is_named_by_the_environment_and_exported(self):
        printed = self.mendel("run", "start", f"{self.namespace}/r", "--no-git", "--shell",
                              "--journal", "a b", **NOWHERE)
        self.assertIn(f"export MENDEL_JOURNAL='{self.path('a b')}'", printed)
        run = printed.split()[1].partition("=")[2]
        journal = {"MENDEL_RUN": run, "MENDEL_JOURNAL": str(self.path("a b"))}
        self.mendel("run", "log", "--metric", "loss=1", "--step", "1", **NOWHERE, **journal)
        self.mendel("send", MENDEL_JOURNAL=journal["MENDEL_JOURNAL"])
        self.assertEqual(self.points(run), [(1, 1)])

    def test_takes_points_in_bulk(self):
        run = self.start()
        lines = "\n".join(json.dumps({"name": "loss", "step": step, "value": step})
                          for step in range(20000))
        subprocess.run([os.environ["MENDEL"], "run", "log", "--run", run, "--journal", "j"],
                       input=lines, text=True, check=True, cwd=self.directory,
                       env=self.environment(**NOWHERE))
        self.assertEqual(self.sent()["points"], 20000)

    def test_costs_repeated_content_once(self):
        run = self.start()
        self.write("w/a", os.urandom(1 << 20))
        self.write("w/b", self.path("w/a").read_bytes())
        for step in range(3):
            self.write("w/step", str(step))
            self.offline("run", "checkpoint", "--run", run, "--step", str(step), "w")
        self.assertEqual(len(self.blobs()), 1 + 3 + 3)  # the large one, the steps, the manifests

    def test_refuses_at_once_what_no_server_will_take(self):
        self.write("p.json", '{"lr": 1e400}')
        self.offline("run", "start", f"{self.namespace}/r", "--params", "p.json", status=1)
        self.offline("run", "start", "no name/r", status=1)
        for keep in ("last:0", "best:1:chi2", "last:1,", "first:1"):
            self.offline("run", "start", f"{self.namespace}/r", "--keep", keep, status=1)
        run = self.start()
        self.offline("run", "log", "--run", run, "--metric", "loss=low", "--step", "1", status=1)
        self.offline("run", "log", "--run", "R", "--metric", "loss=1", "--step", "1", status=1)
        self.offline("run", "checkpoint", "--run", run, "--step", "1", "absent", status=10)
        self.assertEqual(len(self.records()), 1)


class PushTest(JournalTest):
    def push(self, *arguments, **options):
        return self.offline("push", "model", f"{self.namespace}/x", *arguments, **options)

    def show(self, reference="x:1"):
        return self.mendel_json("show", f"{self.namespace}/{reference}")

    def test_becomes_a_version(self):
        self.write("out/weights", "1")
        self.write("out/bin/run", "2").chmod(0o755)
        self.write("p.json", '{"lr": 0.5}')
        run = self.start()
        printed = self.push("out", "--no-git", "--alias", "staging", "-m", "why", "--params",
                            "p.json", "--run", run)
        self.assertEqual(self.sent()["versions"], [f"{self.namespace}/x:1"])
        version = self.show("x@staging")
        self.assertIn(version["digest"], printed)
        self.assertEqual((version["message"], version["run"]), ("why", run))
        self.assertEqual(version["hyperparameters"]["value"], {"lr": 0.5})
        self.mendel("verify", f"{self.namespace}/x:1")

    def test_becomes_one_version_however_often_it_is_sent(self):
        for content in "12":
            self.write("out/weights", content)
            self.push("out", "--no-git")
        self.send()
        self.path("j/delivered").unlink()
        self.assertEqual(self.sent()["versions"],
                         [f"{self.namespace}/x:1", f"{self.namespace}/x:2"])
        listed = self.mendel_json("log", f"{self.namespace}/x")["items"]
        self.assertEqual(len(listed), 2)

    def test_publishes_the_best_checkpoint(self):
        run = self.start()
        for step, chi2 in enumerate((3, 1, 2)):
            self.write("w/weights", f"of step {step}")
            self.offline("run", "checkpoint", "--run", run, "--step", str(step), "--metric",
                         f"chi2={chi2}", "w")
        self.finish(run)
        self.push("--no-git", "--run", run, "--checkpoint", "best:chi2:min")
        self.send()
        self.assertEqual(self.mendel("cat", f"{self.namespace}/x:1", "weights"), "of step 1")

    def test_takes_the_patch_of_a_dirty_tree_along(self):
        git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
        self.write("repository/train.py", "first\n")
        for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
            subprocess.run(git + arguments, cwd=self.path("repository"), check=True)
        self.write("repository/train.py", "second\n")
        self.write("out/weights", "1")
        run = self.offline("run", "start", f"{self.namespace}/r", "--git", "repository").strip()
        self.push("out", "--git", "repository")
        self.send("--remove")
        self.assertIn("patch", self.get(f"/api/v1/runs/{run}")["source"])
        status, _, patch = self.server.request(
            "GET", f"/api/v1/models/{self.namespace}/x/versions/1/patch")
        self.assertEqual(status, 200)
        self.assertIn(b"+second", patch)

    def test_takes_the_environment_along(self):
        self.write("out/weights", "1")
        self.push("out", "--no-git", "--env", "auto")
        self.assertEqual(self.sent()["versions"],
                         [f"{self.namespace}/x-env:1", f"{self.namespace}/x:1"])
        [environment] = self.show()["inputs"]
        self.assertEqual((environment["role"], environment["ref"]),
                         ("environment", f"{self.namespace}/x-env:1"))

    def test_refuses_what_only_a_server_can_do(self):
        self.write("out/weights", "1")
        self.push("out", "--no-git", "--dry-run", status=1)
        self.push("out", "--no-git", "--component", f"a={self.namespace}/y", status=1)
        self.push("absent", "--no-git", status=10)
        self.assertFalse(self.path("j/journal").exists())


class RefusalTest(JournalTest):
    def test_sets_aside_what_is_refused_for_good_and_goes_on(self):
        other = self.offline("run", "start", f"{self.namespace}-later/r", "--no-git").strip()
        run = self.start()
        self.log(run, 1, 1)
        self.log(other, 2, 2)
        self.log(run, 3, 3)
        report = self.sent(status=1)
        self.assertEqual([refusal["type"] for refusal in report["refused"]], ["run", "metrics"])
        self.assertEqual(self.points(run), [(1, 1), (3, 3)])
        rejected = [json.loads(line)
                    for line in self.path("j/rejected").read_text().splitlines()]
        self.assertEqual(rejected[0]["record"]["body"]["id"], other)
        self.assertEqual(rejected[0]["problem"]["type"], "/problems/not-found")

        self.assertEqual(self.sent()["refused"], [])  # nothing is new
        self.mendel("namespace", "create", f"{self.namespace}-later")
        self.assertEqual(self.sent("--again")["runs"], 1)
        self.assertEqual(self.points(other), [(2, 2)])
        self.assertFalse(self.path("j/rejected").exists())

    def test_finds_the_point_that_is_refused_among_many(self):
        run = self.start()
        records = [{"type": "metrics", "run": run, "metrics": [
            {"name": "loss", "step": step, "value": 1 if step != 5 else "none"}]}
            for step in range(10)]
        self.append(*records)
        self.assertEqual(len(self.sent(status=1)["refused"]), 1)
        self.assertEqual([step for step, _ in self.points(run)], [0, 1, 2, 3, 4, 6, 7, 8, 9])

    def append(self, *records):
        """Appends records of any shape, as a newer mendel, or a wrong one, would."""
        script = "import sys, json, mendel_run\n" \
                 "journal = mendel_run._Journal('j')\n" \
                 "for record in json.load(sys.stdin): journal.append(record)\n"
        python = pathlib.Path(__file__).resolve().parents[2] / "cli/python"
        subprocess.run(["python3", "-B", "-c", script], input=json.dumps(records), text=True,
                       check=True, cwd=self.directory,
                       env=os.environ | {"PYTHONPATH": str(python)})

    def test_keeps_records_that_it_does_not_know(self):
        self.write("w", "weights")
        run = self.start()
        self.offline("run", "checkpoint", "--run", run, "--step", "1", "w")
        self.append({"type": "kpi-events", "body": {"events": [1]}}, {"no": "type"})
        report = self.sent("--remove", status=1)
        self.assertEqual([refusal["type"] for refusal in report["refused"]],
                         ["kpi-events", "unknown"])
        self.assertIn('"events":[1]', self.path("j/rejected").read_text())
        self.assertNotEqual(self.blobs(), [])  # they may need them

    def test_survives_records_of_the_wrong_shape(self):
        run = self.start()
        self.append({"type": "run"}, {"type": "run", "body": []}, {"type": "metrics", "run": run},
                    {"type": "metrics", "run": "../whoami", "metrics": []},
                    {"type": "metrics", "run": 5, "metrics": []},
                    {"type": "checkpoint", "run": run, "body": {"manifest": "sha256:1"}},
                    {"type": "checkpoint", "run": run, "body": {"manifest": "sha256:" + "0" * 64}},
                    {"type": "finish", "run": run, "body": {"status": 5}},
                    {"type": "push", "kind": "x", "name": "a/b", "key": "k", "body": {}},
                    {"type": "push", "kind": "model", "name": "a", "key": "k", "body": {}},
                    {"type": "run", "body": {"namespace": self.namespace, "name": "r",
                                             "source": {"patch": 5}}})
        self.log(run, 1, 1)
        self.assertEqual(len(self.sent(status=1)["refused"]), 11)
        self.assertEqual(self.points(run), [(1, 1)])

    def test_notices_damaged_bytes_in_the_middle(self):
        run = self.start()
        for step in range(3):
            self.log(run, step, step)
        data = bytearray(self.path("j/journal").read_bytes())
        position = data.index(b'"step":1')
        data[position] ^= 1
        self.path("j/journal").write_bytes(data)
        report = self.sent(status=1)
        self.assertEqual([refusal["type"] for refusal in report["refused"]], ["damaged"])
        self.assertEqual(self.points(run), [(0, 0), (2, 2)])
        kept = list(self.path("j").glob("damaged-*"))
        self.assertIn(b'"step"'[1:], kept[0].read_bytes())

    def test_notices_a_file_that_was_damaged_in_the_journal(self):
        run = self.start()
        self.write("w", "weights")
        self.offline("run", "checkpoint", "--run", run, "--step", "1", "w")
        for blob in self.path("j/blobs").rglob("*"):
            if blob.is_file() and blob.read_bytes() == b"weights":
                blob.write_bytes(b"weighty")
        report = self.sent(status=1)
        self.assertIn("damaged", report["refused"][0]["reason"])
        self.assertEqual(self.get(f"/api/v1/runs/{run}/checkpoints")["items"], [])

    def test_sets_nothing_aside_for_a_server_that_is_away_or_a_bad_token(self):
        run = self.start()
        self.log(run, 1, 1)
        self.mendel("send", "j", status=13, **NOWHERE)
        self.mendel("send", "j", status=12, MENDEL_TOKEN="mdl_wrong")
        self.assertFalse(self.path("j/rejected").exists())
        self.assertEqual(self.sent()["points"], 1)

    def test_says_when_there_is_no_journal(self):
        self.mendel("send", "nowhere", status=10)
        self.mendel("send", status=1)
        self.path("j").mkdir()
        self.assertEqual(self.sent()["runs"], 0)


class KillTest(JournalTest):
    # Goal: whatever `mendel` acknowledged by its end is delivered exactly once, whenever others
    # were killed.
    # Method: several processes append at once, and some of them are killed at random times; all is
    # sent, with kills in between as well, and then twice in full.
    def test_delivers_exactly_what_was_acknowledged(self):
        chance = random.Random(7)
        run = self.start()
        certain, possible = set(), set()
        for step in range(0, 120, 4):
            writers = {number: self.writer(run, number) for number in range(step, step + 4)}
            victims = set(chance.sample(sorted(writers), 2))
            time.sleep(chance.random() * 0.02)
            for number in victims:
                writers[number].send_signal(signal.SIGKILL)
            for number, writer in writers.items():
                done = writer.wait(60)
                (certain if done == 0 else possible).add(number)
                self.assertIn(done, (0, -signal.SIGKILL))
            if step % 20 == 0:
                self.kill_a_send(chance)
        self.assertGreaterEqual(len(certain), 60)
        self.assertGreater(len(possible), 0)
        self.finish(run)
        self.sent()
        once = self.points(run)
        steps = [step for step, _ in once]
        self.assertEqual(len(steps), len(set(steps)))
        self.assertLessEqual(certain, set(steps))
        self.assertLessEqual(set(steps), certain | possible)
        self.path("j/delivered").unlink()
        again = self.sent()
        self.assertEqual((again["points"], again["refused"]), (0, []))
        self.assertEqual(self.points(run), once)
        self.assertEqual(self.get(f"/api/v1/runs/{run}")["status"], "finished")

    def writer(self, run, number):
        return subprocess.Popen(
            [os.environ["MENDEL"], "run", "log", "--run", run, "--journal", "j", "--metric",
             f"loss={number}", "--step", str(number)], cwd=self.directory,
            env=self.environment(**NOWHERE), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill_a_send(self, chance):
        process = subprocess.Popen([os.environ["MENDEL"], "send", "j"], cwd=self.directory,
                                   env=self.environment(), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        time.sleep(chance.random() * 0.05)
        process.kill()
        process.wait()

    def test_cuts_a_torn_record_off(self):
        run = self.start()
        self.log(run, 1, 1)
        whole = self.path("j/journal").read_bytes()
        self.log(run, 2, 2)
        torn = self.path("j/journal").read_bytes()[:-7]
        self.path("j/journal").write_bytes(torn)
        report = self.sent()
        self.assertEqual((report["points"], report["bytes_cut_short"]),
                         (1, len(torn) - len(whole)))
        self.log(run, 3, 3)
        self.send()
        self.assertEqual(self.points(run), [(1, 1), (3, 3)])

    def test_is_not_in_the_way_of_those_who_append(self):
        run = self.start()
        for step in range(30):
            self.log(run, step, step)
        sender = subprocess.Popen([os.environ["MENDEL"], "send", "j", "--remove"],
                                  cwd=self.directory, env=self.environment(),
                                  stdout=subprocess.DEVNULL)
        for step in range(30, 60):
            self.log(run, step, step)
        self.assertEqual(sender.wait(60), 0)
        self.send("--remove")
        self.assertEqual([step for step, _ in self.points(run)], list(range(60)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
