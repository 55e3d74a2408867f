"""Servers, databases and clients killed at any instant: what was acknowledged is there.

MENDEL_KILL_ROUNDS says how many kills there are, MENDEL_TEST_SEED repeats the choices of a run.
"""

import collections
import contextlib
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import threading
import time
import unittest

import mendel_fixture

KILLS = int(os.environ.get("MENDEL_KILL_ROUNDS", "20"))
SEED = int(os.environ.get("MENDEL_TEST_SEED", str(random.randrange(1 << 30))))

FIRST_STARTS = max(2, KILLS // 50)
CLIENTS = 3
HANG_SECONDS = 120
ATTEMPTS_UNDER_FIRE = 5  # then a client is left in peace until it has succeeded
EXIT_OK, EXIT_TRY_AGAIN = 0, 13
NAMESPACE = "lhcb"


def digests_in(directory):
    """Of each file by its path, but for what pull keeps for itself."""
    found = {}
    for path in directory.rglob("*"):
        relative = path.relative_to(directory)
        if path.is_file() and relative.parts[0] != ".mendel":
            found[str(relative)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


class Acknowledged:
    """What the server has said it has: the digests of each version's files. Any thread."""

    def __init__(self):
        self.lock = threading.Lock()
        self.versions = {}  # (artifact, number): {path: digest}
        self.of_path = collections.defaultdict(set)  # (artifact, path): digests

    def add(self, artifact, number, files):
        with self.lock:
            assert (artifact, number) not in self.versions
            self.versions[artifact, number] = files
            for path, digest in files.items():
                self.of_path[artifact, path].add(digest)

    def choose(self, choice):
        with self.lock:
            return choice(sorted(self.versions)) if self.versions else None


class Client(threading.Thread):
    """Pushes versions of its own artifacts and pulls what anybody has pushed. What fails is done
    again until it succeeds; each time what the command left behind must be right."""

    def __init__(self, test, number):
        super().__init__()
        self.test = test
        self.random = random.Random(f"{SEED} client {number}")
        self.directory = test.server.root / f"client{number}"
        self.artifacts = {f"{kind}{number}": kind for kind in ("small", "large", "many")}
        self.process = None
        self.counts = collections.Counter()
        self.failure = None

    def run(self):
        try:
            while not self.test.over.is_set():
                self.random.choice((self.push, self.pull))()
        except Exception as failure:  # the test's thread raises it
            self.failure = failure
            self.test.over.set()

    def command(self, *arguments):
        """Its exit status, or minus the signal that ended it, and what it printed."""
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("MENDEL_")}
        environment |= {"MENDEL_URL": self.test.server.url, "MENDEL_TOKEN": self.test.server.token}
        self.process = subprocess.Popen(
            [os.environ["MENDEL"], *map(str, arguments)], env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            out, err = self.process.communicate(timeout=HANG_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"{arguments} hangs") from None
        status = self.process.returncode
        if status not in (EXIT_OK, EXIT_TRY_AGAIN, -signal.SIGKILL):
            raise AssertionError(f"{arguments} ended with {status}: {err}")
        return status, out

    def repeat_until_it_succeeds(self, what, *arguments, after_failure=lambda: None):
        def succeeds():
            status, self.output = self.command(*arguments)
            self.counts[what if status == EXIT_OK else f"{what} failed"] += 1
            if status != EXIT_OK:
                after_failure()
            return status == EXIT_OK

        if not any(succeeds() for _ in range(ATTEMPTS_UNDER_FIRE)):
            with self.test.nothing_killed():
                deadline = time.monotonic() + HANG_SECONDS
                while not succeeds():
                    if time.monotonic() > deadline:
                        raise AssertionError(f"{arguments} does not succeed any more")
        return self.output

    def push(self):
        artifact = self.random.choice(sorted(self.artifacts))
        source = self.directory / artifact
        source.mkdir(parents=True, exist_ok=True)
        self.change(source, self.artifacts[artifact])
        number = 1 + self.counts[artifact]
        out = self.repeat_until_it_succeeds(
            "pushes", "push", "dataset", f"{NAMESPACE}/{artifact}", source)
        reference = out.split()[0]
        if reference != f"{NAMESPACE}/{artifact}:{number}":
            raise AssertionError(f"{reference} was made, and version {number} is due")
        self.counts[artifact] = number
        self.test.acknowledged.add(artifact, number, digests_in(source))

    def change(self, source, kind):
        if kind == "small":
            (source / "f").write_bytes(self.random.randbytes(self.random.randrange(1, 100_000)))
        elif kind == "large":
            content = bytearray((source / "f").read_bytes() if (source / "f").exists() else
                                self.random.randbytes(8_000_000))
            at = self.random.randrange(len(content))
            content[at:at + 1000] = self.random.randbytes(20_000)
            (source / "f").write_bytes(content)
        else:
            for _ in range(20 if (source / "0").exists() else 300):
                path = source / str(self.random.randrange(10)) / str(self.random.randrange(30))
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(self.random.randbytes(self.random.randrange(8000)))

    def pull(self):
        chosen = self.test.acknowledged.choose(self.random.choice)
        if chosen is None:
            return
        artifact, number = chosen
        files = self.test.acknowledged.versions[chosen]
        target = self.directory / f"pulled-{artifact}"
        if self.random.random() < 0.3:
            shutil.rmtree(target, ignore_errors=True)

        def require_no_wrong_file():
            for path, digest in digests_in(target).items() if target.exists() else ():
                if digest not in self.test.acknowledged.of_path[artifact, path]:
                    raise AssertionError(f"{target}/{path} was never pushed like that")

        self.repeat_until_it_succeeds(
            "pulls", "pull", f"{NAMESPACE}/{artifact}:{number}", "--to", target,
            after_failure=require_no_wrong_file)
        if digests_in(target) != files:
            raise AssertionError(f"{target} is not {artifact}:{number}")
        if any((target / ".mendel/partial").iterdir()):
            raise AssertionError(f"{target} has something half done after a whole pull")


class KillTest(unittest.TestCase):
    """Clients push and pull while something is killed with SIGKILL, again and again. Then the
    server has exactly the versions that were acknowledged, with the right bytes, and no start
    ever needed a hand."""

    def setUp(self):
        print(f"seed {SEED}: set MENDEL_TEST_SEED to repeat")
        self.random = random.Random(SEED)
        self.server = mendel_fixture.Server(port=mendel_fixture.free_port())
        self.addCleanup(self.server.remove)
        path = f"/api/v1/namespaces/{NAMESPACE}"
        self.assertEqual(self.server.request("PUT", path, b"{}")[0], 201)
        self.acknowledged = Acknowledged()
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.in_need_of_peace = 0
        self.clients = [Client(self, number) for number in range(CLIENTS)]

    def postgres_processes(self):
        """The postmaster first, and then its children."""
        try:
            lines = (self.server.data / "postgres/postmaster.pid").read_text().split()
            postmaster = int(lines[0])
            children = pathlib.Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
        except (OSError, IndexError):  # it was killed a moment ago
            return []
        return [postmaster, *map(int, children.split())]

    def kill_server(self):
        self.server.stop(signal.SIGKILL)
        self.server.launch()

    def kill_server_while_it_starts(self):
        self.kill_server()
        time.sleep(self.random.uniform(0, 0.1))
        self.kill_server()

    def kill_postgres(self):
        self.kill(self.postgres_processes()[:1])

    def kill_backend(self):
        self.kill(self.random.sample(self.postgres_processes()[1:], 1))

    def kill_both(self):
        self.kill_postgres()
        self.kill_server()

    def kill_client(self):
        process = self.random.choice(self.clients).process
        if process is not None:
            process.kill()

    @staticmethod
    def kill(processes):
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def wait_until_ready(self):
        deadline = time.monotonic() + mendel_fixture.READY_SECONDS_MAX
        while not self.server.is_ready():
            if self.server.process.poll() is not None or time.monotonic() > deadline:
                self.fail("the server does not come back:\n" + self.server.log_text()[-3000:])
            time.sleep(0.01)

    @contextlib.contextmanager
    def nothing_killed(self):
        with self.lock:
            self.in_need_of_peace += 1
        yield
        with self.lock:
            self.in_need_of_peace -= 1

    def kill_something(self):
        target = self.random.choice(("server", "server_while_it_starts", "postgres", "backend",
                                     "both", "client", "client"))
        with contextlib.suppress(ValueError):  # PostgreSQL is just starting: no backend
            getattr(self, "kill_" + target)()
        return target

    def test_nothing_acknowledged_is_lost_and_nothing_partial_is_seen(self):
        for client in self.clients:
            client.start()
        try:
            killed = self.kill_again_and_again()
        finally:
            self.over.set()
            for client in self.clients:
                client.join()
        counts = sum((client.counts for client in self.clients), collections.Counter())
        failures = [client.failure for client in self.clients if client.failure]
        if failures:
            raise failures[0]
        self.server.stop()
        self.server.start()
        verified = self.verify_versions()
        print(f"kills: {killed.total()} {dict(killed)}")
        print(f"pushes acknowledged: {counts['pushes']}, failed and repeated: "
              f"{counts['pushes failed']}")
        print(f"pulls: {counts['pulls']}, failed and repeated: {counts['pulls failed']}")
        print(f"versions verified: {verified}, all as they were pushed")

    def kill_again_and_again(self):
        killed = collections.Counter()
        while killed.total() < KILLS and not self.over.is_set():
            time.sleep(self.random.uniform(0, 0.8))
            if self.in_need_of_peace:
                continue
            killed[self.kill_something()] += 1
            self.wait_until_ready()
            if killed.total() % 100 == 0:
                print(f"after {killed.total()} kills, all is well", flush=True)
        return killed

    def verify_versions(self):
        """The server lists what was acknowledged and nothing else, and `mendel verify` reads it
        all."""
        for client in self.clients:
            for artifact in client.artifacts:
                numbers = [number for name, number in self.acknowledged.versions
                           if name == artifact]
                self.assertEqual(self.listed(artifact), sorted(numbers))
        for (artifact, number), files in self.acknowledged.versions.items():
            self.assertEqual(self.files_of(artifact, number), files)
            status, _ = self.clients[0].command("verify", f"{NAMESPACE}/{artifact}:{number}")
            self.assertEqual(status, EXIT_OK)
        return len(self.acknowledged.versions)

    def listed(self, artifact):
        path = f"/api/v1/datasets/{NAMESPACE}/{artifact}/versions"
        numbers, after = [], ""
        while True:
            status, _, answer = self.server.request("GET", f"{path}?limit=1000{after}")
            if status == 404:
                return []
            page = json.loads(answer)
            numbers += [version["version"] for version in page["items"]]
            if "next" not in page:
                return sorted(numbers)
            after = "&after=" + page["next"]

    def files_of(self, artifact, number):
        _, _, manifest = self.server.request(
            "GET", f"/api/v1/datasets/{NAMESPACE}/{artifact}/versions/{number}/files")
        return {file["path"]: file["digest"].removeprefix("sha256:")
                for file in json.loads(manifest)["files"]}


class FirstStartTest(unittest.TestCase):
    """Wherever the first start was killed, the second makes a whole server of what is there."""

    def test_a_first_start_that_was_killed_needs_no_hand(self):
        choices = random.Random(SEED)
        for _ in range(FIRST_STARTS):
            server = mendel_fixture.Server(port=mendel_fixture.free_port(), start=False)
            self.addCleanup(server.remove)
            server.launch()
            time.sleep(choices.uniform(0, 2))
            server.stop(signal.SIGKILL)
            server.start()
            self.assertEqual(server.request("GET", "/api/v1/whoami")[0], 200)
            server.stop()
        print(f"first starts killed: {FIRST_STARTS}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
