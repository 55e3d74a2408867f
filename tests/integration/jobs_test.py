"""Pipelines and jobs over HTTP, as an agent without the command would use them; and what is left when
the server is killed while agents work."""

import concurrent.futures
import hashlib
import json
import random
import signal
import threading
import time
import unittest
import urllib.error

import mendel_fixture


class JobsTest(mendel_fixture.ServerTest):

    def setUp(self):
        super().setUp()
        self.data_digest = self.upload(b"hits")
        self.ask("POST", f"/api/v1/datasets/{self.namespace}/calib/versions",
                 {"files": [{"path": "hits.csv", "digest": self.data_digest}]}, status=201)
        self.queue = f"queue-{self.namespace}"
        self.agent_token = self.ask("POST", "/api/v1/tokens",
                                    {"name": "site", "scopes": ["agent"]}, status=201)["secret"]

    def request(self, method, path, body=None, headers=(), token=None):
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        status, received, answer = self.server.request(method, path, content, headers, token)
        self.headers = received
        try:
            return status, json.loads(answer) if answer else None
        except json.JSONDecodeError:
            return status, answer

    def ask(self, method, path, body=None, headers=(), status=200, token=None):
        got, answer = self.request(method, path, body, headers, token)
        self.assertEqual(got, status, answer)
        return answer

    def refused(self, method, path, body, status, pointer=None, token=None, headers=()):
        got, problem = self.request(method, path, body, headers, token)
        self.assertEqual(got, status, problem)
        if pointer:
            self.assertIn(pointer, [error["pointer"] for error in problem["errors"]])
        return problem

    def upload(self, content, token=None):
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        status, answer = self.request(
            "PUT", f"/api/v1/namespaces/{self.namespace}/blobs/{digest}", content, token=token)
        self.assertIn(status, (200, 201), answer)
        return digest

    def document(self, **changes):
        return {"engine": "agent", "queue": self.queue, "command": ["./train", "--fast"],
                "inputs": {"data": f"{self.namespace}/calib"}, "hyperparameters": {"lr": 0.001},
                "produces": {"artifact": f"{self.namespace}/trk", "files": ["out/*.so"]}} | changes

    def apply(self, name="retrain", status=201, **changes):
        return self.ask("PUT", f"/api/v1/pipelines/{self.namespace}/{name}",
                        self.document(**changes), status=status)

    def start_job(self, name="retrain", **members):
        return self.ask("POST", "/api/v1/jobs",
                        {"pipeline": f"{self.namespace}/{name}", "reason": "by hand"} | members,
                        status=201)["id"]

    def lease(self, status=200, **members):
        body = {"queue": self.queue, "agent": "gpu03/1"} | members
        return self.ask("POST", "/api/v1/jobs/lease", body, status=status, token=self.agent_token)

    def publish(self, lease, content=b"weights", status=201, key="key"):
        digest = self.upload(content, token=lease["token"]) if status != 409 else self.data_digest
        return self.ask("POST", f"/api/v1/models/{self.namespace}/trk/versions",
                        {"files": [{"path": "trk.so", "digest": digest}]},
                        {"Idempotency-Key": f"{lease['id']}/{lease['attempt']}/{key}"}, status,
                        lease["token"])

    def finish(self, lease, how="succeeded", http_status=200, **members):
        return self.ask("POST", f"/api/v1/jobs/{lease['id']}/finish",
                        {"attempt": lease["attempt"], "status": how} | members,
                        status=http_status, token=lease["token"])

    def job(self, uuid):
        return self.ask("GET", f"/api/v1/jobs/{uuid}")

    def test_a_pipeline_is_applied_and_changed_with_a_revision(self):
        path = f"/api/v1/pipelines/{self.namespace}/retrain"
        made = self.apply()
        tag = self.headers["ETag"]
        self.assertEqual((made["revision"], made["owner"]), (1, "admin"))
        self.assertEqual(self.apply(status=200)["revision"], 1)
        rehearsed = self.ask("PUT", path + "?dry_run=true", self.document(command=["make"]))
        self.assertEqual((rehearsed["changed"], rehearsed["created"]),
                         (["/command/0", "/command/1"], False))
        self.assertEqual(self.ask("GET", path)["revision"], 1)
        self.ask("PUT", path, self.document(queue="other"), {"If-Match": tag})
        self.refused("PUT", path, self.document(), 412, headers={"If-Match": tag})
        listed = self.ask("GET", f"/api/v1/pipelines?namespace={self.namespace}")["items"]
        self.assertEqual([each["name"] for each in listed], [f"{self.namespace}/retrain"])
        self.ask("DELETE", path, status=204)
        self.refused("GET", path, None, 404)

    def test_a_document_is_refused_field_by_field(self):
        path = f"/api/v1/pipelines/{self.namespace}/wrong"

        def wrong(status, pointer, **changes):
            problem = self.refused("PUT", path, self.document(**changes), status, pointer)
            return problem["detail"]

        self.assertIn("agent", wrong(422, "/engine", engine="airflow"))
        self.assertIn('["sh", "-c"', wrong(422, "/command", command="make all"))
        wrong(422, "/command", command=[])
        wrong(400, "/nonsense", nonsense=1)
        wrong(400, "/limits/depth", limits={"depth": 1})
        wrong(422, "/limits/concurrency", limits={"concurrency": 0})
        wrong(422, "/retry/attempts", retry={"attempts": 21})
        artifact = f"{self.namespace}/trk"
        wrong(422, "/produces/files/0", produces={"artifact": artifact, "files": ["out/[a-"]})
        wrong(422, "/produces/files/0", produces={"artifact": artifact, "files": ["/etc/*"]})
        wrong(422, "/produces/files/0", produces={"artifact": artifact, "files": ["../*"]})
        wrong(422, "/inputs/data", inputs={"data": f"{self.namespace}/absent"})
        wrong(422, "/inputs/data/role",
              inputs={"data": {"ref": f"{self.namespace}/calib", "role": "component"}})
        wrong(422, "/source/repository", source={"repository": "/etc", "ref": "main"})
        wrong(422, "/source/repository",
              source={"repository": "https://me:secret@example.org/x.git", "ref": "main"})
        wrong(422, "/source/ref", source={"repository": "https://example.org/x.git",
                                          "ref": "--upload-pack=/bin/sh"})
        wrong(422, "/hyperparameters", hyperparameters_file="params.json")
        wrong(422, "/secrets/MENDEL_TOKEN", secrets={"MENDEL_TOKEN": "mine"})
        self.refused("GET", path, None, 404)

    def test_a_job_goes_from_the_queue_to_its_version(self):
        self.apply()
        uuid = self.start_job(hyperparameters={"layers": 3})
        self.assertEqual(self.job(uuid)["waiting_for"], f"an agent of the queue {self.queue}")
        lease = self.lease()
        self.assertEqual((lease["id"], lease["attempt"], lease["command"]),
                         (uuid, 1, ["./train", "--fast"]))
        self.assertEqual(lease["hyperparameters"], {"lr": 0.001, "layers": 3})
        self.assertEqual([each["ref"] for each in lease["inputs"]], [f"{self.namespace}/calib:1"])
        token = lease["token"]
        beat = self.ask("POST", f"/api/v1/jobs/{uuid}/heartbeat",
                        {"attempt": 1, "state": "running"}, token=token)
        self.assertFalse(beat["cancel"])
        run = self.ask("POST", "/api/v1/runs", {"namespace": self.namespace, "name": "retrain"},
                       status=201, token=token)
        self.assertEqual((run["job"], run["attempt"]), (uuid, 1))
        self.ask("POST", f"/api/v1/runs/{run['id']}/metrics",
                 {"metrics": [{"name": "loss", "step": 1, "value": 0.5}]}, token=token)
        log = f"/api/v1/jobs/{uuid}/log"
        for _ in range(2):
            self.ask("POST", log + "?attempt=1&offset=0", b"epoch 1\n", token=token)
        self.refused("POST", log + "?attempt=1&offset=9", b"later", 409, "/offset", token=token)
        self.assertEqual(self.ask("GET", log), b"epoch 1\n")
        self.assertNotIn("Mendel-Log-End", self.headers)

        version = self.publish(lease)
        self.assertEqual(self.publish(lease)["version"], version["version"])
        self.publish(lease, b"more weights", status=409, key="another")
        done = self.finish(lease, version=f"{self.namespace}/trk:1",
                           resources={"wall_seconds": 3})
        self.assertEqual((done["state"], done["version"], done["run"]),
                         ("succeeded", f"{self.namespace}/trk:1", run["id"]))
        self.assertEqual([each["to"] for each in done["transitions"]],
                         ["queued", "starting", "running", "succeeded"])
        self.ask("GET", log)
        self.assertEqual(self.headers["Mendel-Log-End"], "true")
        self.refused("POST", f"/api/v1/jobs/{uuid}/heartbeat", {"attempt": 1}, 409, token=token)
        self.refused("GET", f"/api/v1/datasets/{self.namespace}/calib", None, 409, token=token)
        self.assertEqual(self.ask("GET", f"/api/v1/runs/{run['id']}")["status"], "finished")

    def test_the_token_of_an_attempt_does_nothing_else(self):
        self.ask("PUT", f"/api/v1/namespaces/other-{self.namespace}", {}, status=201)
        self.apply()
        self.start_job()
        lease = self.lease()

        def forbidden(method, path, body=None, status=403):
            self.refused(method, path, body, status, token=lease["token"])

        forbidden("POST", "/api/v1/tokens", {"name": "mine"})
        forbidden("GET", "/api/v1/tokens")
        forbidden("PUT", f"/api/v1/namespaces/other-{self.namespace}", {})
        forbidden("PUT", f"/api/v1/pipelines/{self.namespace}/retrain", self.document())
        forbidden("POST", "/api/v1/jobs/lease", {"queue": self.queue, "agent": "me"})
        forbidden("PUT", f"/api/v1/datasets/{self.namespace}/calib/aliases/a", {"version": 1})
        forbidden("GET", f"/api/v1/models/other-{self.namespace}/x", status=404)
        forbidden("POST", f"/api/v1/datasets/{self.namespace}/calib/versions",
                  {"files": [{"path": "x", "digest": self.data_digest}]})
        # Another's job and another's run.
        self.start_job()
        other = self.lease()
        forbidden("POST", f"/api/v1/jobs/{other['id']}/finish",
                  {"attempt": 1, "status": "failed"})
        run = self.ask("POST", "/api/v1/runs", {"namespace": self.namespace, "name": "mine"},
                       status=201)
        forbidden("PATCH", f"/api/v1/runs/{run['id']}", {"status": "failed"})
        self.finish(other, "failed", retry=False)
        self.refused("POST", "/api/v1/jobs/lease", {"queue": self.queue, "agent": "x"}, 403,
                     token=self.ask("POST", "/api/v1/tokens", {"scopes": ["read", "write"]},
                                    status=201)["secret"])

    def test_the_same_request_makes_one_job(self):
        self.apply()
        body = {"pipeline": f"{self.namespace}/retrain", "reason": "once"}
        key = {"Idempotency-Key": "the key"}
        first = self.ask("POST", "/api/v1/jobs", body, key, 201)
        self.assertEqual(self.ask("POST", "/api/v1/jobs", body, key)["id"], first["id"])
        self.refused("POST", "/api/v1/jobs", body | {"reason": "twice"}, 422, headers=key)
        jobs = self.ask("GET", f"/api/v1/jobs?pipeline={self.namespace}/retrain")["items"]
        self.assertEqual(len(jobs), 1)

    def test_jobs_are_cancelled_and_retried(self):
        self.apply()
        waiting = self.start_job()
        path = f"/api/v1/jobs/{waiting}"
        self.refused("DELETE", f"/api/v1/pipelines/{self.namespace}/retrain", None, 409)
        self.assertEqual(self.ask("POST", path + "/cancel", {"reason": "no"})["state"],
                         "cancelled")
        self.refused("POST", path + "/cancel", {}, 409)
        self.assertEqual(self.ask("POST", path + "/retry", {"reason": "yes"})["state"], "queued")
        lease = self.lease()
        self.assertTrue(self.ask("POST", path + "/cancel", {})["cancel_requested"])
        beat = self.ask("POST", path + "/heartbeat", {"attempt": lease["attempt"]},
                        token=self.agent_token)
        self.assertTrue(beat["cancel"])
        self.assertEqual(self.finish(lease, "cancelled")["state"], "cancelled")
        self.lease(status=204)

    def test_an_agent_waits_for_a_job_and_gets_it_at_once(self):
        self.apply()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = pool.submit(self.server.request, "POST", "/api/v1/jobs/lease",
                                  json.dumps({"queue": self.queue, "agent": "a",
                                              "wait_seconds": 60}).encode(),
                                  token=self.agent_token)
            time.sleep(0.3)
            uuid = self.start_job()
            status, _, answer = waiting.result(timeout=30)
        self.assertEqual((status, json.loads(answer)["id"]), (200, uuid))

    def test_a_job_whose_agent_is_gone_is_given_to_another(self):
        self.apply(retry={"attempts": 2, "backoff_seconds": 0})
        uuid = self.start_job()
        gone = self.lease(lease_seconds=5)
        self.ask("PATCH", f"/api/v1/runs/{self.run_of(gone)}", {"labels": {"alive": "yes"}},
                 token=gone["token"])
        lease = self.lease(wait_seconds=60)
        self.assertEqual((lease["id"], lease["attempt"]), (uuid, 2))
        self.publish(gone, status=409)
        self.refused("POST", f"/api/v1/jobs/{uuid}/heartbeat", {"attempt": 1}, 409,
                     token=self.agent_token)
        self.publish(lease)
        self.finish(lease)
        states = [each["to"] for each in self.job(uuid)["transitions"]]
        self.assertEqual(states, ["queued", "starting", "lost", "queued", "starting",
                                  "succeeded"])

    def run_of(self, lease):
        return self.ask("POST", "/api/v1/runs", {"namespace": self.namespace, "name": "r"},
                        status=201, token=lease["token"])["id"]


class KilledServerTest(mendel_fixture.ServerTest):
    """Goal: whenever the server is killed, each job takes effect once. Method: agents lease, publish
    and finish, and ask again whatever they were not answered; the server is killed all the time; at
    the end each job has its version, and each version its job."""

    JOBS = 12
    AGENTS = 3
    KILLS = 6

    def call(self, method, path, body, token, headers=()):
        """Until there is an answer."""
        while True:
            try:
                status, _, answer = self.server.request(
                    method, path, json.dumps(body).encode(), headers, token)
                if status < 500:
                    return status, json.loads(answer) if answer else None
            except (urllib.error.URLError, OSError, ValueError):
                pass
            time.sleep(0.05)

    def work(self, stop):
        while not stop.is_set():
            status, lease = self.call("POST", "/api/v1/jobs/lease",
                                      {"queue": "q", "agent": "a", "lease_seconds": 5},
                                      self.server.token)
            if status != 200:
                time.sleep(0.05)
                continue
            name = f"{lease['id']}/{lease['attempt']}"
            body = {"files": [{"path": "w", "digest": self.digest}], "message": lease["id"],
                    "hyperparameters": {"job": lease["id"]}}
            status, _ = self.call("POST", f"/api/v1/models/{self.namespace}/m/versions", body,
                                  lease["token"], {"Idempotency-Key": name})
            if status in (200, 201):
                self.call("POST", f"/api/v1/jobs/{lease['id']}/finish",
                          {"attempt": lease["attempt"], "status": "succeeded"}, lease["token"])

    def test_every_job_takes_effect_once(self):
        server = self.server
        content = b"weights"
        self.digest = "sha256:" + hashlib.sha256(content).hexdigest()
        server.request("PUT", f"/api/v1/namespaces/{self.namespace}/blobs/{self.digest}", content)
        document = {"engine": "agent", "queue": "q", "command": ["true"],
                    "produces": {"artifact": f"{self.namespace}/m", "files": ["w"]},
                    "limits": {"concurrency": 2}, "retry": {"attempts": 20, "backoff_seconds": 0}}
        self.call("PUT", f"/api/v1/pipelines/{self.namespace}/p", document, server.token)
        server.port = int(server.url.rsplit(":", 1)[1])
        stop = threading.Event()
        agents = [threading.Thread(target=self.work, args=(stop,)) for _ in range(self.AGENTS)]
        for agent in agents:
            agent.start()
        made = []
        for kill in range(self.KILLS):
            for number in range(self.JOBS // self.KILLS):
                made.append(self.call("POST", "/api/v1/jobs", {"pipeline": f"{self.namespace}/p"},
                                      server.token, {"Idempotency-Key": f"{kill}/{number}"}
                                      )[1]["id"])
            time.sleep(random.uniform(0, 0.5))
            server.stop(signal.SIGKILL)
            server.start()
        deadline = time.monotonic() + 240
        states = {}
        while time.monotonic() < deadline:
            states = {uuid: self.call("GET", f"/api/v1/jobs/{uuid}", None, server.token)[1]
                      for uuid in made}
            if all(job["state"] == "succeeded" for job in states.values()):
                break
            time.sleep(0.2)
        stop.set()
        for agent in agents:
            agent.join()
        self.assertEqual({job["state"] for job in states.values()}, {"succeeded"})
        versions = self.call("GET", f"/api/v1/models/{self.namespace}/m/versions?limit=1000", None,
                             server.token)[1]["items"]
        self.assertEqual(len(versions), len(made))
        self.assertEqual({version["message"] for version in versions}, set(made))
        self.assertEqual({job["version"] for job in states.values()},
                         {f"{self.namespace}/m:{number + 1}" for number in range(len(made))})


if __name__ == "__main__":
    unittest.main()
