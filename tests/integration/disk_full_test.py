"""Disks that are full, under the server and under a pull: clear errors, and all goes on once there
is room again.

The small disks are tmpfs in a mount namespace of this process, gone with it. Where that is not
permitted those tests are skipped; what a full object store and a full database do to each request
is also tested without (tests/registry/fault_sweep_test.cc).
"""

import contextlib
import ctypes
import errno
import hashlib
import json
import os
import shutil
import subprocess
import time
import unittest

import mendel_fixture

MIB = 1 << 20
CLONE_NEWNS = 0x00020000
SERVER_DISK = "260m"  # PostgreSQL's own files take most of it
PULL_DISK = "4m"
EXIT_FAILURE = 1


def may_mount():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        return False
    private = subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True)
    return private.returncode == 0


MAY_MOUNT = may_mount()


def small_disk(test, directory, size):
    directory.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", directory],
                   check=True)
    test.addCleanup(subprocess.run, ["umount", "-l", directory])


def fill(ballast):
    """Takes all room that there is on its disk."""
    with open(ballast, "wb") as file:
        try:
            while True:
                file.write(bytes(64 * 1024))
                file.flush()
        except OSError as error:
            assert error.errno == errno.ENOSPC, error
            with contextlib.suppress(OSError):
                file.close()


@unittest.skipUnless(MAY_MOUNT, "this process may not mount")
class ServerDiskTest(unittest.TestCase):
    """Objects and database on one disk, which fills up."""

    def setUp(self):
        self.server = mendel_fixture.Server(start=False)
        self.addCleanup(shutil.rmtree, self.server.root, ignore_errors=True)
        small_disk(self, self.server.data, SERVER_DISK)
        self.addCleanup(self.server.stop)
        self.server.start()
        self.assertEqual(self.server.request("PUT", "/api/v1/namespaces/lhcb", b"{}")[0], 201)

    def put(self, content):
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        return self.server.request("PUT", f"/api/v1/namespaces/lhcb/blobs/{digest}", content)

    def publish(self, name, content, **more):
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        body = {"files": [{"path": "f", "digest": digest}], **more}
        return self.server.request("POST", f"/api/v1/models/lhcb/{name}/versions",
                                   json.dumps(body).encode())

    def fetch(self, name):
        return self.server.request("GET", f"/api/v1/models/lhcb/{name}/versions/1/files/f")

    def require_refusal(self, answer):
        status, headers, body = answer
        self.assertIn(status, (503, 507), body)
        self.assertEqual(headers["Content-Type"], "application/problem+json")

    def fill_the_database(self, stored):
        """The answer to the first request for which PostgreSQL had no room: its log has some left
        when the disk is full."""
        for _ in range(400):
            answer = self.publish("growing", stored,
                                  hyperparameters={"noise": os.urandom(100_000).hex()})
            if answer[0] != 201:
                return answer
        self.fail("PostgreSQL finds room on a full disk")

    def succeeds(self, send):
        deadline = time.monotonic() + mendel_fixture.READY_SECONDS_MAX
        while True:
            answer = send()
            if answer[0] in (200, 201):
                return answer
            self.require_refusal(answer)
            self.assertLess(time.monotonic(), deadline, "it does not recover")
            time.sleep(0.1)

    def test_a_full_disk_is_said_and_survived(self):
        before = os.urandom(2 * MIB)
        self.assertEqual(self.put(before)[0], 201)
        self.assertEqual(self.publish("before", before)[0], 201)

        ballast = self.server.data / "ballast"
        fill(ballast)
        refused = os.urandom(3 * MIB)
        answer = self.put(refused)
        self.assertEqual(answer[0], 507, answer[2])
        self.require_refusal(answer)
        pushed = self.server.root / "pushed"
        pushed.write_bytes(refused)
        client = subprocess.run(
            [os.environ["MENDEL"], "push", "model", "lhcb/pushed", pushed], text=True,
            env=os.environ | {"MENDEL_URL": self.server.url, "MENDEL_TOKEN": self.server.token},
            capture_output=True, timeout=300)
        self.assertNotEqual(client.returncode, 0)
        self.assertIn("full", client.stderr)
        self.assertEqual(self.fetch("before")[2], before, "what is there can be read")
        self.require_refusal(self.fill_the_database(before))

        ballast.unlink()
        self.succeeds(lambda: self.put(refused))
        self.succeeds(lambda: self.publish("after", refused))
        self.assertEqual(self.fetch("after")[2], refused)
        self.assertEqual(self.fetch("before")[2], before)
        self.assertIsNone(self.server.process.poll(), "no restart was needed")


class PullDiskTest(mendel_fixture.ServerTest):
    def versions(self):
        """Two, of which each alone fits on the disk, and both do not."""
        for content in (os.urandom(2 * MIB), os.urandom(5 * MIB)):
            self.write("out/f", content)
            self.write("out/small", content[:100])
            self.mendel("push", "model", f"{self.namespace}/x", "out")

    @unittest.skipUnless(MAY_MOUNT, "this process may not mount")
    def test_a_pull_onto_a_full_disk_leaves_no_wrong_file(self):
        self.versions()
        target = self.path("in")
        small_disk(self, target, PULL_DISK)
        self.mendel("pull", f"{self.namespace}/x:1", "--to", target)
        first = {name: (target / name).read_bytes() for name in ("f", "small")}

        refused = self.run_mendel("pull", f"{self.namespace}/x:2", "--to", target,
                                  status=EXIT_FAILURE)
        self.assertIn("No space left on device", refused.stderr)
        self.assertEqual((target / "f").read_bytes(), first["f"])
        self.assertIn((target / "small").read_bytes(),
                      (first["small"], self.path("out/small").read_bytes()))
        self.assertEqual(list((target / ".mendel/partial").iterdir()), [])

        subprocess.run(["mount", "-o", "remount,size=32m", target], check=True)
        self.mendel("pull", f"{self.namespace}/x:2", "--to", target)
        self.assertEqual((target / "f").read_bytes(), self.path("out/f").read_bytes())
        self.mendel("verify", target)

    def test_a_file_that_may_not_grow_is_no_file(self):
        self.versions()
        command = [os.environ["MENDEL"], "pull", f"{self.namespace}/x", "--to", "in"]
        done = subprocess.run(["sh", "-c", 'ulimit -f 2048; trap "" XFSZ; exec "$@"', "sh", *command],
                              cwd=self.directory, env=self.environment(), capture_output=True,
                              text=True, timeout=300)
        self.assertEqual(done.returncode, EXIT_FAILURE, done.stderr)
        self.assertIn("File too large", done.stderr)
        self.assertFalse(self.path("in/f").exists())

    def test_output_that_cannot_be_written_is_a_failure(self):
        self.versions()
        with open("/dev/full", "wb") as full:
            done = subprocess.run([os.environ["MENDEL"], "cat", f"{self.namespace}/x", "f"],
                                  env=self.environment(), stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=300)
        self.assertEqual(done.returncode, EXIT_FAILURE, done.stderr)
        self.assertIn("No space left on device", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
