"""Runs over HTTP: from their start to the version that is published from a checkpoint; metrics by the
million; and what was acknowledged before the server was killed."""

import hashlib
import json
import random
import signal
import threading
import unittest

import mendel_fixture

LINES = {"Content-Type": "application/x-ndjson"}


def lines_of(entries):
    return "".join(json.dumps(entry) + "\n" for entry in entries).encode()


class RunsTest(mendel_fixture.ServerTest):

    def request(self, method, path, body=None, headers=(), token=None):
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        status, _, answer = self.server.request(method, path, content, headers, token)
        return status, json.loads(answer) if answer else None

    def ask(self, method, path, body=None, headers=(), status=200):
        got, answer = self.request(method, path, body, headers)
        self.assertEqual(got, status, answer)
        return answer

    def start(self, **members):
        body = {"namespace": self.namespace, "name": "wgan"} | members
        return self.ask("POST", "/api/v1/runs", body, status=201)["id"]

    def upload(self, content):
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        status, _ = self.request("PUT", f"/api/v1/namespaces/{self.namespace}/blobs/{digest}",
                                 content)
        self.assertIn(status, (200, 201))
        return digest

    def metrics(self, run, query=""):
        return self.ask("GET", f"/api/v1/runs/{run}/metrics{query}")

    def log(self, run, *entries, status=200):
        return self.ask("POST", f"/api/v1/runs/{run}/metrics", {"metrics": list(entries)},
                        status=status)

    def checkpoint(self, run, step, content, status=201, **metrics):
        files = [{"path": "generator.bin", "digest": self.upload(content)}]
        return self.ask("POST", f"/api/v1/runs/{run}/checkpoints",
                        {"step": step, "files": files, "metrics": metrics}, status=status)

    def refused(self, method, path, body, status, pointer=None, headers=()):
        got, problem = self.request(method, path, body, headers)
        self.assertEqual(got, status, problem)
        if pointer:
            self.assertIn(pointer, [error["pointer"] for error in problem["errors"]])
        return problem

    def test_a_training_from_its_start_to_a_version(self):
        self.write("data.csv", "1,2,3\n")
        self.mendel("push", "dataset", f"{self.namespace}/calib", self.path("data.csv"))
        run = self.start(
            inputs=[{"role": "trained-on", "ref": f"{self.namespace}/calib@latest",
                     "name": "data"}],
            hyperparameters={"lr": 0.001}, labels={"site": "CNAF"}, message="the first one",
            keep="best:1:chi2_ndf:min,last:1", heartbeat_seconds=60)
        self.assertEqual(
            self.ask("POST", f"/api/v1/runs/{run}/heartbeat")["status"], "running")
        for step, chi2_ndf in ((100, 4.0), (200, 2.4), (300, 3.0), (400, 5.0)):
            self.log(run, {"name": "loss", "step": step, "value": 1 / step},
                     {"name": "chi2_ndf", "step": step, "value": chi2_ndf})
            self.checkpoint(run, step, b"weights of %d" % step, chi2_ndf=chi2_ndf)
        states = {item["step"]: item["state"] for item in self.ask(
            "GET", f"/api/v1/runs/{run}/checkpoints")["items"]}
        self.assertEqual(states, {100: "dropped", 200: "kept", 300: "dropped", 400: "kept"})

        finished = self.ask("PATCH", f"/api/v1/runs/{run}", {
            "status": "finished", "exit_status": 0,
            "resources": {"wall_seconds": 21600, "gpu_seconds": 21000.5, "energy_kwh": 1.9,
                          "peak_memory_bytes": 1 << 33, "host": "gpu03", "site": "CNAF"}})
        self.assertEqual(finished["metrics"], {"loss": 1 / 400, "chi2_ndf": 5.0})
        self.assertEqual(finished["resources"]["site"], "CNAF")

        version = self.ask("POST", f"/api/v1/models/{self.namespace}/gan/versions",
                           {"run": run, "checkpoint": "best:chi2_ndf:min"}, status=201)
        self.assertEqual(version["run"], run)
        self.assertEqual(version["metrics"], {"chi2_ndf": 2.4})
        self.assertEqual(version["hyperparameters"]["value"], {"lr": 0.001})
        self.assertEqual([(i["role"], i["ref"], i["name"]) for i in version["inputs"]],
                         [("trained-on", f"{self.namespace}/calib:1", "data")])
        status, _, content = self.server.request(
            "GET", f"/api/v1/models/{self.namespace}/gan/versions/1/files/generator.bin")
        self.assertEqual((status, content), (200, b"weights of 200"))

        document = self.ask("GET", f"/api/v1/runs/{run}")
        self.assertEqual(document["outputs"], [f"{self.namespace}/gan:1"])
        self.assertEqual(document["checkpoint_count"], 4)
        manifest = self.ask("GET", f"/api/v1/runs/{run}/checkpoints/200/files")
        self.assertEqual(manifest["files"][0]["path"], "generator.bin")

    def test_evaluations(self):
        for name, kind in (("gan", "model"), ("valid", "dataset")):
            self.write(name, f"content of {name}")
            self.mendel("push", kind, f"{self.namespace}/{name}", self.path(name))
        path = f"/api/v1/models/{self.namespace}/gan/versions/latest/evaluations"
        body = {"id": "01a1fe0c-89bd-7173-af3a-7189431de521", "metrics": {"chi2_ndf": 2.6},
                "dataset": f"{self.namespace}/valid", "measured_at": "2024-02-13T00:00:00Z"}
        first = self.ask("POST", path, body, status=201)
        self.assertEqual(first["dataset"]["ref"], f"{self.namespace}/valid:1")
        self.assertEqual(first["version"], f"{self.namespace}/gan:1")
        self.assertEqual(self.ask("POST", path, body), first)
        self.refused("POST", path, body | {"metrics": {"chi2_ndf": 2.7}}, 422, "/id")
        self.ask("POST", path, {"metrics": {"chi2_ndf": "NaN"}}, status=201)
        items = self.ask("GET", path)["items"]
        self.assertEqual([item["metrics"]["chi2_ndf"] for item in items], ["NaN", 2.6])
        self.refused("POST", path, {"metrics": {}}, 400, "/metrics")
        self.refused("POST", path, {"metrics": {"a": 1}, "dataset": "lhcb/absent"}, 404,
                     "/dataset")

    def test_a_million_points(self):
        run = self.start()
        names, steps = 10, 100_000
        body = b"".join(b'{"name":"m%d","step":%d,"value":%d.5}\n' % (name, step, step % 1000)
                        for step in range(steps) for name in range(names))
        path = f"/api/v1/runs/{run}/metrics"
        self.assertEqual(self.ask("POST", path, body, LINES),
                         {"accepted": names * steps, "duplicates": 0})
        part = body[:body.index(b"\n", 5_000_000) + 1]
        again = self.ask("POST", path, part, LINES)
        self.assertEqual(again, {"accepted": 0, "duplicates": part.count(b"\n")})

        self.ask("PATCH", f"/api/v1/runs/{run}", {"status": "finished"})
        items = self.metrics(run)["items"]
        self.assertEqual([item["count"] for item in items], [steps] * names)
        self.assertEqual(items[3]["last"]["step"], steps - 1)
        sampled = self.metrics(run, "?name=m3&max_points=50")["buckets"]
        self.assertEqual(sum(bucket["count"] for bucket in sampled), steps)
        self.assertEqual({bucket["max"] for bucket in sampled}, {999.5})

        read, after = 0, ""
        while after is not None:
            page = self.metrics(run, "?name=m7&limit=30000" + after)
            self.assertEqual([point["step"] for point in page["points"]],
                             list(range(read, read + len(page["points"]))))
            read += len(page["points"])
            after = "&after=" + page["next"] if "next" in page else None
        self.assertEqual(read, steps)

    def test_points_that_are_selected(self):
        run = self.start()
        self.log(run, *({"name": "acc", "step": step, "value": value} for step, value in (
            (1, 0.5), (2, "NaN"), (3, 0.9), (4, 0.7))))
        self.assertEqual(self.metrics(run, "?name=acc&select=last")["step"], 4)
        self.assertEqual(self.metrics(run, "?name=acc&select=best&better=max")["step"], 3)
        self.assertEqual(self.metrics(run, "?name=acc&select=best&better=min")["value"], 0.5)
        self.assertEqual(self.metrics(run, "?name=acc")["points"][1]["value"], "NaN")
        for query in ("?name=acc&select=best", "?select=last", "?name=acc&better=max",
                      "?max_points=5", "?name=acc&max_points=0", "?name=acc&after=x"):
            self.refused("GET", f"/api/v1/runs/{run}/metrics{query}", None, 400)
        self.refused("GET", f"/api/v1/runs/{run}/metrics?name=absent", None, 404)

    def test_bad_input_changes_nothing(self):
        self.refused("POST", "/api/v1/runs", {"namespace": self.namespace}, 400, "/name")
        good = {"namespace": self.namespace, "name": "x"}
        for pointer, member in (("/keep", {"keep": "best:5"}), ("/keep", {"keep": "last:0"}),
                                ("/heartbeat_seconds", {"heartbeat_seconds": 5}),
                                ("/id", {"id": "7"}), ("/labels", {"labels": {"a": 1}}),
                                ("/lr", {"lr": 1}),
                                ("/inputs/0/role", {"inputs": [{"role": "x", "uri": "a:b"}]})):
            self.refused("POST", "/api/v1/runs", good | member, 400, pointer)
        self.refused("POST", "/api/v1/runs", good | {"started_at": "2999-01-01T00:00:00Z"}, 422,
                     "/started_at")
        self.refused("POST", "/api/v1/runs", good | {
            "inputs": [{"role": "trained-on", "ref": "lhcb/absent"}]}, 404, "/inputs/0/ref")
        self.refused("POST", "/api/v1/runs", {"namespace": "absent", "name": "x"}, 404)
        self.assertEqual(self.ask("GET", f"/api/v1/runs?namespace={self.namespace}")["items"], [])

        run = self.start()
        path = f"/api/v1/runs/{run}"
        entry = {"name": "loss", "step": 1, "value": 1}
        for wrong, pointer in (({"step": -1}, "step"), ({"step": 2**53 + 1}, "step"),
                               ({"value": None}, "value"), ({"value": "nan"}, "value"),
                               ({"name": ""}, "name"), ({"time": "now"}, "time")):
            self.refused("POST", path + "/metrics", {"metrics": [entry, entry | wrong]}, 400,
                         f"/metrics/1/{pointer}")
            self.refused("POST", path + "/metrics", lines_of([entry, entry | wrong]), 400,
                         f"/1/{pointer}", LINES)
        many = [{"name": f"m{number}", "step": 1, "value": 1} for number in range(10_001)]
        self.refused("POST", path + "/metrics", {"metrics": many}, 422)
        self.assertEqual(self.metrics(run)["items"], [])

        digest = self.upload(b"weights")
        files = [{"path": "w", "digest": digest}]
        for body, pointer in (({"files": files}, "/step"), ({"step": -1, "files": files}, "/step"),
                              ({"step": 1}, "/files"), ({"step": 1, "files": files,
                                                         "kind": "thing"}, "/kind")):
            self.refused("POST", path + "/checkpoints", body, 400, pointer)
        for resources in ({"wall_seconds": -1}, {"energy_kwh": "NaN"}, {"host": ""},
                          {"volts": 3}):
            member = next(iter(resources))
            self.refused("PATCH", path, {"resources": resources}, 400, "/resources/" + member)
        self.refused("PATCH", path, {"status": "lost"}, 400, "/status")
        self.refused("GET", path + "/checkpoints?select=first", None, 400)
        publication = f"/api/v1/models/{self.namespace}/gan/versions"
        self.refused("POST", publication, {"checkpoint": "last"}, 400, "/checkpoint")
        self.refused("POST", publication, {"run": run, "checkpoint": "last"}, 404)
        self.refused("POST", publication, {"run": run, "files": files, "checkpoint": "last"},
                     400, "/files")

        self.ask("PATCH", path, {"status": "killed"})
        self.refused("POST", path + "/checkpoints", {"step": 1, "files": files}, 409)
        self.refused("POST", path + "/metrics", {"metrics": [entry]}, 409)
        self.refused("PATCH", path, {"status": "running"}, 409)
        self.assertEqual(self.ask("GET", path)["checkpoint_count"], 0)

    def test_who_may_do_what(self):
        run = self.start()
        tokens = {}
        for name, role in (("reader", "reader"), ("stranger", None)):
            principal = f"{self.namespace}-{name}"
            self.ask("PUT", f"/api/v1/principals/{principal}", {"kind": "service"}, status=201)
            if role:
                self.ask("PUT",
                         f"/api/v1/namespaces/{self.namespace}/members/{principal}",
                         {"role": role}, status=201)
            tokens[name] = self.ask("POST", "/api/v1/tokens", {
                "principal": principal, "name": "t", "scopes": ["read", "write"]},
                status=201)["secret"]
        entry = {"metrics": [{"name": "a", "step": 1, "value": 1}]}
        for name, reading, writing in (("reader", 200, 403), ("stranger", 404, 404)):
            for method, suffix, body, expected in (
                    ("GET", "", None, reading), ("GET", "/metrics", None, reading),
                    ("GET", "/checkpoints", None, reading), ("POST", "/metrics", entry, writing),
                    ("POST", "/heartbeat", {}, writing),
                    ("PATCH", "", {"status": "failed"}, writing)):
                status, _ = self.request(method, f"/api/v1/runs/{run}{suffix}", body,
                                         token=tokens[name])
                self.assertEqual(status, expected, (name, method, suffix))
        _, hidden = self.request("GET", f"/api/v1/runs/{run}", token=tokens["stranger"])
        absent = run[:-4] + "0000"
        _, unknown = self.request("GET", f"/api/v1/runs/{absent}", token=tokens["stranger"])
        self.assertEqual(hidden["detail"].replace(run, absent), unknown["detail"])
        self.assertEqual(self.ask("GET", f"/api/v1/runs/{run}")["status"], "running")

    def test_what_was_acknowledged_outlives_a_kill(self):
        server = mendel_fixture.Server(port=random.randrange(20_000, 30_000))
        self.addCleanup(server.remove)
        server.request("PUT", "/api/v1/namespaces/lhcb", b"{}")
        _, _, answer = server.request(
            "POST", "/api/v1/runs", json.dumps({"namespace": "lhcb", "name": "r"}).encode())
        path = f"/api/v1/runs/{json.loads(answer)['id']}/metrics"
        batches, size = 60, 50
        done = threading.Event()

        def kill_and_start():
            while not done.wait(1.0):
                server.stop(signal.SIGKILL)
                server.start()

        def send(batch):
            body = {"metrics": [{"name": f"m{number}", "step": batch, "value": number}
                                for number in range(size)]}
            while True:  # until it is acknowledged
                try:
                    status, _, answer = server.request("POST", path, json.dumps(body).encode())
                    if status == 200:
                        return json.loads(answer)
                except OSError:
                    pass

        killer = threading.Thread(target=kill_and_start)
        killer.start()
        try:
            for batch in range(batches):
                taken = send(batch)
                self.assertEqual(taken["accepted"] + taken["duplicates"], size)
                self.assertEqual(send(batch), {"accepted": 0, "duplicates": size})
        finally:
            done.set()
            killer.join()
        _, _, answer = server.request("GET", path)
        counts = [metric["count"] for metric in json.loads(answer)["items"]]
        self.assertEqual(counts, [batches] * size)


if __name__ == "__main__":
    unittest.main()
