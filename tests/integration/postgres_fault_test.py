"""PostgreSQL that stops, freezes and comes back under load: clear answers, and no restart of the
server is needed."""

import collections
import hashlib
import json
import os
import pathlib
import signal
import threading
import time
import unittest

import mendel_fixture

WORKERS = 4
LOAD_SECONDS = 1.0
ANSWER_SECONDS_MAX = 40  # on a machine that does other things, too


class Load:
    """Threads that publish and read, and note each answer: by status, and how long the longest
    took. Only success, or 503 with Retry-After, is allowed."""

    def __init__(self, server, name):
        self.server = server
        self.name = name
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.statuses = collections.Counter()
        self.slowest_seconds = 0
        self.acknowledged = {}  # (artifact, number): content
        self.failure = None
        self.threads = [threading.Thread(target=self.run, args=(number,))
                        for number in range(WORKERS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        if self.failure:
            raise self.failure

    def run(self, number):
        artifact = f"{self.name}{number}"
        try:
            while not self.over.is_set():
                self.publish(artifact, os.urandom(1000))
                self.request("GET", f"/api/v1/models?namespace=lhcb&q={artifact}")
        except Exception as failure:  # the test's thread raises it
            self.failure = failure

    def publish(self, artifact, content):
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        if not self.request("PUT", f"/api/v1/namespaces/lhcb/blobs/{digest}", content):
            return
        body = json.dumps({"files": [{"path": "f", "digest": digest}]}).encode()
        version = self.request("POST", f"/api/v1/models/lhcb/{artifact}/versions", body)
        if version:
            with self.lock:
                self.acknowledged[artifact, json.loads(version)["version"]] = content

    def request(self, method, path, body=None):
        began = time.monotonic()
        status, headers, answer = self.server.request(method, path, body)
        with self.lock:
            self.statuses[status] += 1
            self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)
        if status == 503:
            assert headers["Retry-After"], "503 without Retry-After"
            assert headers["Content-Type"] == "application/problem+json", headers
            return None
        assert status in (200, 201), (method, path, status, answer)
        return answer


class PostgresFaultTest(unittest.TestCase):
    """On two servers: one with its private PostgreSQL, and a replica that was given the same one
    by --database, as it would be given any."""

    @classmethod
    def setUpClass(cls):
        cls.private = mendel_fixture.Server()
        run, objects = cls.private.data / "run", cls.private.data / "objects"
        cls.replica = mendel_fixture.Server(
            "--database", f"host={run} user=mendel dbname=mendel", "--objects", f"file://{objects}")
        cls.servers = (cls.private, cls.replica)
        assert cls.private.request("PUT", "/api/v1/namespaces/lhcb", b"{}")[0] == 201

    @classmethod
    def tearDownClass(cls):
        cls.replica.remove()
        cls.private.remove()

    def processes(self):
        lock_file = self.private.data / "postgres/postmaster.pid"
        postmaster = int(lock_file.read_text().split()[0])
        children = pathlib.Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
        return [postmaster, *map(int, children.split())]

    def send(self, how, processes):
        for process in processes:
            try:
                os.kill(process, how)
            except ProcessLookupError:
                pass

    def wait_for(self, condition, what):
        deadline = time.monotonic() + mendel_fixture.READY_SECONDS_MAX
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.02)

    def is_ready(self, server):
        return server.request("GET", "/readyz")[0] == 200

    def run_under_load(self, fault):
        """What happens to whoever uses the servers while fault() is done to PostgreSQL."""
        loads = [Load(server, f"m{self.id().rpartition('_')[2]}{number}")
                 for number, server in enumerate(self.servers)]
        with loads[0], loads[1]:
            time.sleep(LOAD_SECONDS)
            fault(loads)
            for server in self.servers:
                self.wait_for(lambda: self.is_ready(server), "it did not recover")
            time.sleep(LOAD_SECONDS)
        for server, load in zip(self.servers, loads):
            print(f"{dict(load.statuses)}, the slowest after {load.slowest_seconds:.1f} s")
            self.assertGreater(load.statuses[201], 0)
            self.assertLess(load.slowest_seconds, ANSWER_SECONDS_MAX)
            self.assertIsNone(server.process.poll(), "it was the server that ended")
            for (artifact, number), content in load.acknowledged.items():
                _, _, found = server.request(
                    "GET", f"/api/v1/models/lhcb/{artifact}/versions/{number}/files/f")
                self.assertEqual(found, content)

    def test_shut_down_and_started_again(self):
        def restart(_):
            postmaster = self.processes()[0]
            self.send(signal.SIGQUIT, [postmaster])  # PostgreSQL's immediate shutdown
            self.wait_for(lambda: self.is_restarted(postmaster), "PostgreSQL does not come back")
        self.run_under_load(restart)

    def test_frozen(self):
        def freeze(loads):
            frozen = self.processes()
            self.send(signal.SIGSTOP, frozen)
            try:
                self.wait_for(lambda: all(load.statuses[503] >= 5 for load in loads),
                              "nobody was told that PostgreSQL is away")
            finally:
                self.send(signal.SIGCONT, frozen)
        self.run_under_load(freeze)

    def is_restarted(self, postmaster):
        try:
            return self.processes()[0] != postmaster
        except (OSError, IndexError):
            return False


if __name__ == "__main__":
    unittest.main(verbosity=2)
