"""Triggers over HTTP; and servers and databases killed at any instant: every event that was
caused makes one job, and no event makes two.

MENDEL_KILL_ROUNDS says how many kills there are, MENDEL_TEST_SEED repeats the choices of a run.
"""

import collections
import contextlib
import json
import os
import pathlib
import random
import signal
import threading
import time
import unittest
import urllib.error

import mendel_fixture
from trigger_fixture import Api, SECONDS_MAX, eventually, pipeline

KILLS = int(os.environ.get("MENDEL_KILL_ROUNDS", "8"))
SEED = int(os.environ.get("MENDEL_TEST_SEED", str(random.randrange(1 << 30))))


class TriggerTest(mendel_fixture.ServerTest):
    def setUp(self):
        super().setUp()
        self.api = Api(self.server)
        self.api.make_data(self.namespace)
        self.api.publish(self.namespace, 0)
        self.api.put(f"pipelines/{self.namespace}/retrain", pipeline(self.namespace))

    def apply(self, name, when, **others):
        return self.api.put(f"triggers/{self.namespace}/{name}",
                            {"pipeline": f"{self.namespace}/retrain", "when": when} | others)

    def trigger(self, name):
        return self.api.get(f"triggers/{self.namespace}/{name}")

    def jobs(self):
        return self.api.items(f"jobs?namespace={self.namespace}")

    def refused(self, method, path, body=None):
        status, _, problem = self.api.ask(method, path, body)
        return status, [error["pointer"] for error in problem.get("errors", [])], problem

    def test_a_new_version_starts_a_job_and_says_so(self):
        applied = self.apply("on-calib", {"new_version": f"{self.namespace}/calib"})
        self.assertEqual(applied["revision"], 1)
        self.assertIn("a new version of", applied["next"])
        self.assertNotIn("last_fired_at", applied)

        self.api.publish(self.namespace, 1)
        job, = eventually(self.jobs)
        self.assertEqual(job["state"], "queued")
        self.assertEqual(job["trigger"], f"{self.namespace}/on-calib")
        self.assertEqual(job["reason"], f"{self.namespace}/calib:2 is new, by admin")
        self.assertEqual([one["ref"] for one in job["inputs"]], [f"{self.namespace}/calib:2"])
        shown = self.trigger("on-calib")
        self.assertEqual(shown["last_job"], job["id"])
        self.assertEqual(shown["last_reason"], job["reason"])

    def test_it_can_be_tested_without_starting_anything(self):
        self.apply("on-calib", {"new_version": f"{self.namespace}/calib"})
        path = f"triggers/{self.namespace}/on-calib/test"
        status, _, trial = self.api.ask("POST", path, {})
        self.assertEqual((status, trial["would_fire"], trial["missing"]), (200, True, []))
        self.apply("on-calib", {"all": [{"new_version": f"{self.namespace}/calib"},
                                        {"manual": True}]})
        _, _, trial = self.api.ask("POST", path, {})
        self.assertFalse(trial["would_fire"])
        self.assertEqual(trial["missing"], ["somebody who fires it"])
        self.assertEqual(self.jobs(), [])

    def test_it_is_fired_by_hand(self):
        self.apply("by-hand", {"manual": True})
        status, _, answer = self.api.ask("POST", f"triggers/{self.namespace}/by-hand/fire",
                                         {"reason": "new luminosity"})
        self.assertEqual(status, 202)
        job, = eventually(self.jobs)
        self.assertEqual(job["reason"], "fired, by admin: new luminosity")
        self.assertEqual(self.api.get(f"events/{answer['event']}")["state"], "consumed")
        self.apply("on-calib", {"new_version": f"{self.namespace}/calib"})
        self.assertEqual(self.refused("POST", f"triggers/{self.namespace}/on-calib/fire", {})[0],
                         422)

    def test_many_versions_at_once_are_one_job(self):
        self.apply("on-calib", {"new_version": f"{self.namespace}/calib"}, debounce_seconds=2)
        for number in range(1, 6):
            self.api.publish(self.namespace, number)
        pending = eventually(lambda: self.trigger("on-calib").get("pending"))
        self.assertIn("is new", pending["reason"])
        job, = eventually(self.jobs)
        self.assertIn("calib:6 is new, by admin (the last of 5", job["reason"])

    def test_a_wrong_document_says_which_field_and_which_rule(self):
        path = f"triggers/{self.namespace}/wrong"
        for when, pointer in (
                ({"schedule": "0 25 * * *"}, "/when/schedule"),
                ({"schedule": "0 3 * * *", "timezone": "Mars/Olympus"}, "/when/timezone"),
                ({"new_version": "no/such/name"}, "/when/new_version"),
                ({"manual": True, "often": 1}, "/when/often"),
                ({"git_push": {"repository": "file:///etc"}}, "/when/git_push/repository"),
                ({"git_push": {"repository": "h.org/r", "branch": "[a"}},
                 "/when/git_push/branch"),
                ({"any": []}, "/when/any")):
            status, pointers, problem = self.refused(
                "PUT", path, {"pipeline": f"{self.namespace}/retrain", "when": when})
            self.assertEqual((status, pointers), (400, [pointer]), problem)
        status, pointers, _ = self.refused(
            "PUT", path, {"pipeline": f"{self.namespace}/none", "when": {"manual": True}})
        self.assertEqual((status, pointers), (422, ["/pipeline"]))
        self.assertEqual(self.refused("GET", path)[0], 404)

    def test_pipelines_do_not_start_each_other_for_ever(self):
        ns = self.namespace
        self.api.put(f"pipelines/{ns}/distill",
                     pipeline(ns, produces={"artifact": f"{ns}/small", "files": ["out/*"]}))
        self.api.put(f"triggers/{ns}/on-trk",
                     {"pipeline": f"{ns}/distill", "when": {"new_version": f"{ns}/trk"}})
        status, _, problem = self.refused(
            "PUT", f"triggers/{ns}/back",
            {"pipeline": f"{ns}/retrain", "when": {"new_version": f"{ns}/small"}})
        self.assertEqual(status, 422)
        self.assertIn(f"{ns}/retrain → trigger {ns}/on-trk → {ns}/distill → trigger {ns}/back "
                      f"→ {ns}/retrain", problem["detail"])
        status, _, problem = self.refused("PUT", f"pipelines/{ns}/distill", pipeline(
            ns, produces={"artifact": f"{ns}/trk", "files": ["out/*"]}))
        self.assertEqual(status, 422)
        self.assertIn(f"{ns}/distill → trigger {ns}/on-trk → {ns}/distill", problem["detail"])

    def test_a_pipeline_with_triggers_stays(self):
        self.apply("on-calib", {"new_version": f"{self.namespace}/calib"})
        self.assertEqual(self.refused("DELETE", f"pipelines/{self.namespace}/retrain")[0], 409)
        self.assertEqual(self.api.ask("DELETE", f"triggers/{self.namespace}/on-calib")[0], 204)
        self.assertEqual(self.api.ask("DELETE", f"pipelines/{self.namespace}/retrain")[0], 204)

    def test_who_may_not_read_what_it_watches_is_not_told(self):
        self.api.make_data("secret")
        self.apply("on-secret", {"new_version": "secret/plans"})
        self.api.put("principals/anna", {})
        self.api.put(f"namespaces/{self.namespace}/members/anna", {"role": "reader"})
        _, _, token = self.api.ask("POST", "tokens", {
            "principal": "anna", "name": "t", "scopes": ["read"], "expires_in_days": 1})
        path = f"/api/v1/triggers/{self.namespace}/on-secret"
        _, _, seen = self.server.request("GET", path, token=token["secret"])
        self.assertNotIn(b"secret/plans", seen)
        self.assertTrue(json.loads(seen)["hidden"])
        self.assertIn("secret/plans", json.dumps(self.trigger("on-secret")))
        self.assertEqual(self.server.request("POST", path + "/test", b"{}",
                                             token=token["secret"])[0], 403)

    def test_lost_updates_are_refused(self):
        path = f"triggers/{self.namespace}/by-hand"
        body = {"pipeline": f"{self.namespace}/retrain", "when": {"manual": True}}
        _, headers, _ = self.api.ask("PUT", path, body)
        seen = headers["ETag"]
        self.assertEqual(self.api.ask("PUT", path, body | {"cooldown_seconds": 1},
                                      If_Match=seen)[0], 200)
        self.assertEqual(self.api.ask("PUT", path, body | {"cooldown_seconds": 2},
                                      If_Match=seen)[0], 412)
        self.assertEqual(self.api.ask("DELETE", path, If_Match=seen)[0], 412)


class KillTest(unittest.TestCase):
    """Versions are published while the server, PostgreSQL and its processes are killed with
    SIGKILL. Each version makes each of two triggers start one job."""

    def setUp(self):
        self.random = random.Random(f"{SEED} kills")
        self.server = mendel_fixture.Server(port=mendel_fixture.free_port())
        self.addCleanup(self.server.remove)
        self.api = Api(self.server)
        self.api.make_data("lhcb")
        self.api.publish("lhcb", 0)
        self.published = 1
        self.over = threading.Event()
        self.failure = None

    def publish_without_end(self):
        """What is not acknowledged is sent again, under the same key."""
        try:
            while not self.over.is_set():
                with contextlib.suppress(urllib.error.URLError, OSError, json.JSONDecodeError):
                    status, _, answer = self.api.publish("lhcb", self.published)
                    if status == 201:
                        assert answer["version"] == self.published + 1, answer
                        self.published += 1
                    else:
                        assert status in (409, 503, 504), (status, answer)
        except Exception as failure:  # the test's thread raises it
            self.failure = failure
            self.over.set()

    def kill_something(self):
        time.sleep(self.random.uniform(0.05, 1.0))
        if self.random.random() < 0.6:
            self.server.stop(signal.SIGKILL)
            self.server.start()
            return
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            lines = (self.server.data / "postgres/postmaster.pid").read_text().split()
            postmaster = int(lines[0])
            children = pathlib.Path(
                f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
            victim = self.random.choice([postmaster, *map(int, children)])
            os.kill(victim, signal.SIGKILL)
        eventually(self.server.is_ready)

    def wait_until_all_are_told(self):
        """However many have gathered while nobody led, as long as they become fewer."""
        count = "select count(*) from event where state = 'unconsumed'"
        left, waits_until = None, 0
        while now_left := int(self.server.psql(count)):
            if now_left != left:
                left, waits_until = now_left, time.monotonic() + SECONDS_MAX
            self.assertLess(time.monotonic(), waits_until, f"{left} events are not told")
            time.sleep(0.1)

    def reasons(self, trigger):
        return collections.Counter(job["reason"] for job in self.api.items("jobs?namespace=lhcb")
                                   if job["trigger"] == trigger)

    def test_every_event_is_one_job(self):
        self.api.put("pipelines/lhcb/retrain", pipeline("lhcb"))
        for name in ("first", "second"):
            self.api.put(f"triggers/lhcb/{name}",
                         {"pipeline": "lhcb/retrain", "when": {"new_version": "lhcb/calib"}})
        publisher = threading.Thread(target=self.publish_without_end)
        publisher.start()
        try:
            for _ in range(KILLS):
                self.kill_something()
                if self.over.is_set():
                    break
        finally:
            self.over.set()
            publisher.join()
        if self.failure:
            raise self.failure
        eventually(self.server.is_ready)
        versions = self.api.items("datasets/lhcb/calib/versions")
        self.assertGreaterEqual(len(versions), self.published)
        expected = collections.Counter(
            f"lhcb/calib:{version['version']} is new, by admin" for version in versions
            if version["version"] > 1)
        self.wait_until_all_are_told()
        self.assertEqual(self.api.items("events?state=parked"), [])
        for name in ("lhcb/first", "lhcb/second"):
            self.assertEqual(self.reasons(name), expected, f"seed {SEED}")
        print(f"seed {SEED}: {len(versions)} versions, {KILLS} kills")


if __name__ == "__main__":
    unittest.main(verbosity=2)
