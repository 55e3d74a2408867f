"""MENDEL_CACHE: jobs of one node share what they pull, as an ordinary user and with real processes.

MENDEL_TEST_JOBS says how many start at once (100 unless set).
"""

import hashlib
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import mendel_fixture

KIB = 1 << 10
MIB = 1 << 20
JOBS = int(os.environ.get("MENDEL_TEST_JOBS", 100))
KILL_ROUNDS = 25
NOBODY = 65534


class CacheTest(mendel_fixture.ServerTest):
    def setUp(self):
        super().setUp()
        self.cache = self.path("cache")
        self.jobs = self.path("jobs")
        self.jobs.mkdir()
        # Root may write to any file, so that a cache gives it copies; its users are not root.
        self.user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} \
            if os.geteuid() == 0 else {}
        self.program = shutil.copy(os.environ["MENDEL"], self.directory)
        self.directory.chmod(0o777)
        self.jobs.chmod(0o777)

    def start(self, *arguments, cache=None, wrapper=(), **changes):
        return subprocess.Popen(
            [*wrapper, self.program, *map(str, arguments)], cwd=self.jobs,
            env=self.environment(MENDEL_CACHE=str(cache or self.cache), **changes),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            **({} if wrapper else self.user))

    def finish(self, process):
        """Standard error of a process that succeeds."""
        output, errors = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 0, output + errors)
        return errors

    def pull(self, to, reference="", **options):
        return self.finish(self.start("pull", f"{self.namespace}/x{reference}", "--to", to,
                                      **options))

    def push(self, files):
        source = self.path(f"out-{random.getrandbits(32)}")
        for name, content in files.items():
            executable = name.startswith("bin/")
            path = source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o755 if executable else 0o644)
        self.mendel("push", "model", f"{self.namespace}/x", source)

    def assert_pulled(self, to, files):
        for name, content in files.items():
            path = self.jobs / to / name
            self.assertEqual(path.read_bytes(), content, path)
            self.assertEqual(bool(path.stat().st_mode & 0o100), name.startswith("bin/"), path)

    def sent_bytes(self):
        """Body bytes that the server has sent so far, of manifests and files."""
        text = self.server.request("GET", "/metrics")[2].decode()
        lines = re.findall(r'^mendel_http_sent_bytes_total\{(.*)\} (\S+)$', text, re.MULTILINE)
        return sum(float(value) for labels, value in lines
                   if re.search(r"/(files|bundle|recipe)", labels))

    def entries(self):
        return list(self.cache.glob("user-*/blobs/*"))

    def assert_cache_is_sound(self):
        for entry in self.entries():
            self.assertEqual(hashlib.sha256(entry.read_bytes()).hexdigest(), entry.name)
        for usage in self.cache.glob("user-*/usage"):
            self.assertGreaterEqual(int(usage.read_text()), self.cached_bytes())

    def cached_bytes(self):
        return sum(entry.stat().st_size for entry in self.entries())

    def model(self, seed, size=2600 * KIB):
        noise = random.Random(seed).randbytes
        return {"lib.so": noise(size), "bin/run": noise(9 * KIB), "weights/a": noise(3 * KIB),
                "empty": b""}

    def test_many_pulls_at_once_cost_one_download(self):
        files = self.model(1, size=6 * MIB)
        self.push(files)
        before = self.sent_bytes()
        jobs = [self.start("pull", f"{self.namespace}/x", "--to", f"job{i}") for i in range(JOBS)]
        for job in jobs:
            self.finish(job)
        manifest = self.server.request(
            "GET", f"/api/v1/models/{self.namespace}/x/versions/1/files")[2]
        size = sum(map(len, files.values())) + 2 * len(manifest)  # one by this test
        self.assertEqual(self.sent_bytes() - before, size)
        for i in range(JOBS):
            self.assert_pulled(f"job{i}", files)
        self.assert_cache_is_sound()

    def test_many_cats_at_once_cost_one_download(self):
        files = {"params.json": b"{}\n" * 9999}
        self.push(files)
        before = self.sent_bytes()
        jobs = [self.start("cat", f"{self.namespace}/x", "params.json") for _ in range(20)]
        for job in jobs:
            output, errors = job.communicate(timeout=300)
            self.assertEqual((job.returncode, output.encode()), (0, files["params.json"]), errors)
        self.assertLess(self.sent_bytes() - before, 1.5 * len(files["params.json"]))

    def test_a_pull_says_what_came_from_where(self):
        files = self.model(2)
        self.push(files)
        size = sum(map(len, files.values()))
        for job, cached in (("a", 0), ("b", size)):
            pulled = self.mendel_json("pull", f"{self.namespace}/x", "--to", job,
                                      MENDEL_CACHE=str(self.path("cache-of-test")))
            self.assertEqual(pulled["size_bytes"], size)
            self.assertEqual(pulled["cached_bytes"], cached)
            self.assertEqual(pulled["fetched_bytes"], size - cached)
            self.assertGreater(pulled["wire_bytes"], size - cached)
            self.assertLess(pulled["wire_bytes"], size - cached + 20 * KIB)

    def test_survives_kills_at_any_instant(self):
        draw = random.Random()
        killed = survived = 0
        for round in range(KILL_ROUNDS):
            files = self.model(1000 + round, size=5 * MIB)
            self.push(files)
            jobs = {f"r{round}-{i}": None for i in range(6)}
            for job in jobs:
                jobs[job] = self.start("pull", f"{self.namespace}/x", "--to", job,
                                       MENDEL_CACHE_MAX="30M")
            for job in draw.sample(sorted(jobs), 4):
                time.sleep(draw.uniform(0, 0.03))
                jobs[job].send_signal(signal.SIGKILL)
            for job, process in jobs.items():
                process.communicate(timeout=300)
                if process.returncode == -signal.SIGKILL:
                    killed += 1
                else:
                    self.assertEqual(process.returncode, 0)
                    self.assert_pulled(job, files)
                    survived += 1
            self.assert_cache_is_sound()
            self.assertLessEqual(self.cached_bytes(), 30 * MIB)
            self.pull(f"r{round}-0")  # into what the kill left there
            self.assert_pulled(f"r{round}-0", files)
            shutil.rmtree(self.jobs, ignore_errors=True)
            self.jobs.mkdir(exist_ok=True)
            self.jobs.chmod(0o777)
        print(f"{killed} pulls were killed, {survived} survived their neighbours")
        self.assertGreater(killed, 0)

    def test_what_was_not_used_leaves_first(self):
        for seed in range(4):
            self.push({"w": random.Random(seed).randbytes(MIB)})
        for version in (1, 2, 3):
            self.pull(f"v{version}", f":{version}", MENDEL_CACHE_MAX="3200K")
        self.pull("again", ":1", MENDEL_CACHE_MAX="3200K")
        self.pull("v4", ":4", MENDEL_CACHE_MAX="3200K")
        self.assertLessEqual(self.cached_bytes(), 3200 * KIB)
        names = {entry.name for entry in self.entries()}
        kept = [hashlib.sha256(random.Random(seed).randbytes(MIB)).hexdigest() in names
                for seed in range(4)]
        self.assertEqual((kept[0], kept[1], kept[3]), (True, False, True))
        self.assertEqual((self.jobs / "v2/w").read_bytes(), random.Random(1).randbytes(MIB))

    def test_what_one_job_writes_into_its_file_reaches_no_other(self):
        files = self.model(3)
        self.push(files)
        self.pull("a")
        victim = self.jobs / "a/lib.so"
        victim.chmod(0o644)
        with open(victim, "r+b") as file:
            file.seek(1000)
            file.write(b"flip")
        os.utime(victim, (0, 0))
        shared = victim.stat().st_nlink > 1
        errors = self.pull("b")
        self.assert_pulled("b", files)
        self.assertEqual("damaged" in errors, shared)
        self.assert_cache_is_sound()
        before = self.sent_bytes()
        self.pull("c")
        self.assert_pulled("c", files)
        self.assertEqual(self.sent_bytes(), before)

    def test_a_file_can_be_pulled_with_and_without_the_executable_bit(self):
        content = random.Random(4).randbytes(50 * KIB)
        self.push({"bin/run": content})
        self.push({"data": content})
        self.push({"bin/a": content, "b": content})
        for version, files in ((1, ["bin/run"]), (2, ["data"]), (3, ["bin/a", "b"])):
            self.pull(f"v{version}", f":{version}")
            self.assert_pulled(f"v{version}", dict.fromkeys(files, content))
        self.assert_pulled("v1", {"bin/run": content})
        # The bit of a file that is there already, and shared, changes for this name alone.
        self.push({"bin/x": content})
        self.write("plain/bin/x", content)
        self.mendel("push", "model", f"{self.namespace}/x", self.path("plain"))
        self.pull("v4", ":4")
        self.pull("v5", ":4")
        self.pull("v4", ":5")
        self.assertFalse((self.jobs / "v4/bin/x").stat().st_mode & 0o100)
        self.assert_pulled("v5", {"bin/x": content})

    def test_works_across_file_systems(self):
        elsewhere = next((path for path in ("/dev/shm", "/var/tmp", "/run")
                          if os.access(path, os.W_OK)
                          and os.stat(path).st_dev != os.stat(self.jobs).st_dev), None)
        if not elsewhere:
            self.skipTest("there is one file system only")
        cache = pathlib.Path(tempfile.mkdtemp(prefix="mendel-test-", dir=elsewhere))
        self.addCleanup(shutil.rmtree, cache, ignore_errors=True)
        cache.chmod(0o777)
        files = self.model(5)
        self.push(files)
        self.pull("a", cache=cache)
        before = self.sent_bytes()
        self.assertEqual(self.pull("b", cache=cache).count("warning"), 0)
        self.assertEqual(self.sent_bytes(), before)
        self.assert_pulled("b", files)

    def test_goes_on_without_a_cache_that_cannot_be(self):
        files = self.model(6)
        self.push(files)
        self.assertIn("warning: going on without the cache",
                      self.pull("a", cache="/proc/self/status"))
        self.assert_pulled("a", files)

    def test_goes_on_where_the_cache_is_full(self):
        files = self.model(7)
        self.push(files)
        self.cache.mkdir()
        # A small file system, which no other process sees.
        small = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]),
                 "sh", "-c", 'mount -t tmpfs -o size=1m none "$MENDEL_CACHE" && exec "$@"', "sh"]
        probe = subprocess.run([*small, "true"], env=self.environment(
            MENDEL_CACHE=str(self.cache)), capture_output=True)
        if probe.returncode != 0:
            self.skipTest("file systems cannot be mounted here")
        errors = self.pull("a", wrapper=small)
        self.assertIn("warning: going on without the cache", errors)
        self.assertIn("No space left", errors)
        self.assert_pulled("a", files)

    def test_says_what_is_wrong_with_a_size(self):
        self.push({"a": b"1"})
        refused = self.run_mendel("pull", f"{self.namespace}/x", "--to", "a", status=1,
                                  MENDEL_CACHE=str(self.cache), MENDEL_CACHE_MAX="10 apples")
        self.assertIn("10 apples", refused.stderr)


if __name__ == "__main__":
    unittest.main()
