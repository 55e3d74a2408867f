"""Bytes that must not exist: gone for everybody, from every file on disk, whoever is killed on
the way, and without harm to those who share some of them.

MENDEL_TEST_SEED repeats the choices of a run.
"""

import hashlib
import os
import pathlib
import random
import signal
import subprocess
import time
import unittest

import mendel_fixture

SEED = int(os.environ.get("MENDEL_TEST_SEED", str(random.randrange(1 << 30))))
MIB = 1 << 20
GONE = 10
FINISHED_SECONDS_MAX = 120


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


class PurgeTest(mendel_fixture.ServerTest):
    def setUp(self):
        super().setUp()
        # Its own for each test: they share a server, and so would bytes be shared.
        self.random = random.Random(f"{SEED} {self.id()}")

    def push(self, kind, name, files):
        for path, content in files.items():
            self.write(f"{name}/{path}", content)
        return self.mendel_json("push", kind, f"{self.namespace}/{name}", self.path(name))

    def holds(self, content):
        """Whether any object has a piece of it. Random bytes are stored as they are."""
        probes = [content[at:at + 64] for at in range(0, len(content) - 64, 512 * 1024)]
        for path in pathlib.Path(self.server.data / "objects").rglob("*"):
            if path.is_file():
                stored = path.read_bytes()
                if any(probe in stored for probe in probes):
                    return True
        return False

    def unfinished(self):
        return int(self.server.psql("select count(*) from tombstone where completed_at is null"))

    def test_a_file_is_gone_and_says_why(self):
        doomed = self.random.randbytes(3 * MIB)
        reference = f"{self.namespace}/trk:1"
        self.push("model", "trk", {"doomed.bin": doomed, "kept.txt": "kept"})

        plan = self.mendel("admin", "purge", reference, "--file", "doomed.bin", "--reason",
                           "holds a key", "--dry-run")
        self.assertIn(digest_of(doomed), plan)
        self.assertIn(f"{reference}: doomed.bin", plan)
        self.mendel("admin", "purge", reference, "--reason", "holds a key", status=2)
        self.assertTrue(self.holds(doomed))

        report = self.mendel_json("admin", "purge", reference, "--file", "doomed.bin", "--reason",
                                  "holds a key", "--yes")
        self.assertTrue(report["complete"])
        self.assertGreaterEqual(report["removed"]["bytes_removed"], len(doomed))
        self.assertFalse(self.holds(doomed))

        failed = self.run_mendel("pull", reference, "--to", self.path("out"), status=GONE)
        self.assertIn("doomed.bin", failed.stderr)
        self.assertIn("holds a key", failed.stderr)
        self.assertEqual(self.mendel("cat", reference, "kept.txt"), "kept")
        failed = self.run_mendel("cat", reference, "doomed.bin", status=GONE)
        self.assertIn("holds a key", failed.stderr)
        self.assertIn("kept.txt", self.mendel("files", reference))

        again = self.run_mendel("push", "model", f"{self.namespace}/other",
                                self.path("trk/doomed.bin"), status=GONE)
        self.assertIn("holds a key", again.stderr)
        self.assertFalse(self.holds(doomed))

        # The next version is compared with one of which a file is gone.
        following = self.random.randbytes(3 * MIB)
        self.push("model", "trk", {"doomed.bin": following})
        self.mendel("pull", f"{self.namespace}/trk:2", "--to", self.path("out2"))
        self.assertEqual(self.path("out2/doomed.bin").read_bytes(), following)

        log = self.mendel_json("admin", "audit", "--action", "blob.purge", "--namespace",
                               self.namespace)["items"]
        self.assertEqual([(entry["subject"], entry["reason"]) for entry in log],
                         [(f"{reference} doomed.bin", "holds a key")])

    def test_kills_on_the_way_harm_nobody(self):
        doomed = self.random.randbytes(80 * MIB)
        shared = bytearray(doomed)
        for at in range(0, len(shared), 5 * MIB):  # most chunks are the same
            shared[at:at + 8] = self.random.randbytes(8)
        neighbours = {f"n{i}": self.random.randbytes(self.random.randrange(1, 300_000))
                      for i in range(20)}
        self.push("model", "trk", {"doomed.bin": doomed} | neighbours)
        self.push("model", "next", {"shared.bin": bytes(shared)})
        alone = self.random.randbytes(40 * MIB)
        self.push("model", "alone", {"alone.bin": alone, "beside.bin": neighbours["n1"]})

        for content in (doomed, alone):
            seconds = 0.02
            while not self.purge_and_kill(content, seconds):
                seconds *= 1.7
        self.wait_until_finished()

        self.assertFalse(self.holds(alone))
        self.check_neighbours(neighbours, bytes(shared))
        # Only what the neighbour has in other bytes was the doomed one's own.
        objects = self.server.data / "objects"
        own = [doomed[at:at + 64] for at in range(0, len(doomed), 5 * MIB)]
        holders = [str(path.relative_to(objects)) for path in sorted(objects.rglob("*"))
                   if path.is_file() and any(map(path.read_bytes().__contains__, own))]
        self.assertEqual(holders, [], self.server.log_text())

        self.mendel("admin", "purge", f"{self.namespace}/next:1", "--reason", "all", "--yes")
        self.assertFalse(self.holds(doomed))
        self.mendel("admin", "fsck", "--rebuild-index", "--verify")
        self.run_mendel("cat", f"{self.namespace}/trk:1", "doomed.bin", status=GONE)

    def purge_and_kill(self, content, seconds):
        """Whether the purge was acknowledged before the server was killed."""
        client = subprocess.Popen(
            [os.environ["MENDEL"], "admin", "purge", digest_of(content), "--reason", "x", "--yes"],
            env=self.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            status = client.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            status = None
        self.server.stop(signal.SIGKILL)
        client.kill()
        client.wait()
        self.server.launch()
        if status is None and self.random.random() < 0.5:  # and while it finishes by itself
            time.sleep(self.random.random())
            self.server.stop(signal.SIGKILL)
            self.server.launch()
        self.server.wait_until_ready()
        self.check_any_neighbour()
        return status == 0

    def check_any_neighbour(self):
        self.mendel("verify", f"{self.namespace}/next:1")

    def wait_until_finished(self):
        deadline = time.monotonic() + FINISHED_SECONDS_MAX
        while self.unfinished() > 0:
            self.assertLess(time.monotonic(), deadline, self.server.log_text())
            time.sleep(0.05)

    def check_neighbours(self, neighbours, shared):
        self.mendel("pull", f"{self.namespace}/next:1", "--to", self.path("next.out"))
        self.assertEqual(self.path("next.out/shared.bin").read_bytes(), shared)
        self.mendel("verify", self.path("next.out"))
        for name, content in neighbours.items():
            self.mendel("pull", f"{self.namespace}/trk:1", "--file", name, "--to",
                        self.path("trk.out"))
            self.assertEqual(self.path("trk.out/" + name).read_bytes(), content)

    def test_a_purge_that_was_never_acknowledged_ends_with_the_next_start(self):
        doomed = self.random.randbytes(2 * MIB)
        self.push("model", "trk", {"doomed.bin": doomed})
        digest = digest_of(doomed)
        self.server.psql(
            "insert into tombstone (digest, size_bytes, purged_by, reason, namespaces)"
            " select digest, size_bytes, 'x', 'y', array[namespace_id] from blob"
            f" where digest = '\\x{digest[7:]}';"
            f"delete from blob where digest = '\\x{digest[7:]}'")
        self.server.stop(signal.SIGKILL)
        self.server.start()
        self.wait_until_finished()
        self.assertFalse(self.holds(doomed))


if __name__ == "__main__":
    print(f"MENDEL_TEST_SEED={SEED}")
    unittest.main()
