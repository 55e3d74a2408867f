"""Servers, databases and clients killed at any instant: what was acknowledged is there."""

import os
import random
import signal
import subprocess
import time
import unittest

import mendel_fixture

ROUNDS = int(os.environ.get("MENDEL_KILL_ROUNDS", "12"))
SEED = int(os.environ.get("MENDEL_TEST_SEED", str(random.randrange(1 << 30))))


class KillTest(unittest.TestCase):
    """Pushes go on while something is killed with SIGKILL; then everything that was
    acknowledged is pulled and compared, and the next start needs no hand."""

    def setUp(self):
        print(f"seed {SEED}: set MENDEL_TEST_SEED to repeat")
        self.random = random.Random(SEED)
        self.server = mendel_fixture.Server()
        self.addCleanup(self.server.remove)
        self.assertEqual(self.server.request("PUT", "/api/v1/namespaces/lhcb", b"{}")[0], 201)
        self.acknowledged = {}  # reference: content

    def client(self, *arguments):
        environment = os.environ | {"MENDEL_URL": self.server.url,
                                    "MENDEL_TOKEN": self.server.token}
        return subprocess.Popen([os.environ["MENDEL"], *map(str, arguments)], env=environment,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def push(self, name):
        """One push of new content, some of it large enough for several packs."""
        content = self.random.randbytes(self.random.choice((100, 100_000, 9_000_000)))
        path = self.server.root / name
        path.write_bytes(content)
        return content, self.client("push", "model", f"lhcb/{name}", path)

    def postmaster(self):
        return int((self.server.data / "postgres/postmaster.pid").read_text().split()[0])

    def kill_something(self, client):
        victim = self.random.choice(("server", "postgres", "client", "both"))
        time.sleep(self.random.uniform(0, 0.4))
        if victim in ("postgres", "both"):
            os.kill(self.postmaster(), signal.SIGKILL)
        if victim in ("server", "both"):
            self.server.stop(signal.SIGKILL)
            self.server.start()
        if victim == "client":
            client.kill()
        return victim

    def wait_until_ready(self):
        deadline = time.monotonic() + mendel_fixture.READY_SECONDS_MAX
        while self.server.request("GET", "/readyz")[0] != 200:
            self.assertLess(time.monotonic(), deadline, "the server did not recover")
            time.sleep(0.05)

    def test_nothing_acknowledged_is_lost_and_nothing_partial_is_seen(self):
        killed = {}
        for round_number in range(ROUNDS):
            name = f"m{round_number}"
            content, client = self.push(name)
            victim = self.kill_something(client)
            killed[victim] = killed.get(victim, 0) + 1
            out, _ = client.communicate(timeout=300)
            self.wait_until_ready()
            if client.returncode == 0:
                self.acknowledged[out.split()[0]] = content
            # Repeated, it succeeds, and makes one version whatever the first one did.
            again = self.client("push", "model", f"lhcb/{name}", self.server.root / name)
            out, _ = again.communicate(timeout=300)
            self.assertEqual(again.returncode, 0, name)
            self.assertEqual(out.split()[0], f"lhcb/{name}:1")
            self.acknowledged[f"lhcb/{name}:1"] = content
        for reference, content in self.acknowledged.items():
            name, number = reference.split("/")[1].split(":")
            status, _, body = self.server.request(
                "GET", f"/api/v1/models/lhcb/{name}/versions/{number}/files/{name}")
            self.assertEqual((status, body == content), (200, True), reference)
        print(f"killed {killed}; {len(self.acknowledged)} versions, all as they were pushed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
