"""A running mendeld and the mendel command, for tests in Python's standard library alone.

    class PushTest(mendel_fixture.ServerTest):
        def test_something(self):
            self.mendel("push", "model", "lhcb/x", self.path("out"))

The programs are taken from MENDELD and MENDEL in the environment, which ctest sets. One server
serves all tests of a class; each test has a namespace and a directory of its own.
"""

import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

READY_SECONDS_MAX = 60


def free_port():
    """One that no outgoing connection takes while the server is down."""
    first_ephemeral = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(first_ephemeral - 10_000, first_ephemeral)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Server:
    """mendeld on a free port of the loopback (or the given one, which it then has again after each
    start), with a data directory of its own."""

    def __init__(self, *options, port=0, start=True):
        self.log_size_before = 0
        self.port = port
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="mendel-test-"))
        self.root.chmod(0o755)  # the private PostgreSQL may run as another user
        self.data = self.root / "data"
        self.options = options
        self.process = None
        if start:
            self.start()

    def start(self):
        self.launch()
        self.wait_until_ready()

    def launch(self):
        self.log = open(self.root / "log", "ab")
        self.process = subprocess.Popen(
            [os.environ["MENDELD"], "--data", self.data, "--listen",
             f"127.0.0.1:{self.port}", *self.options],
            stdout=self.log, stderr=self.log)

    def wait_until_ready(self):
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("mendeld did not start:\n" + self.log_text())
            time.sleep(0.01)
        self.token = (self.data / "admin-token").read_text().strip()

    def is_ready(self):
        urls = re.findall(r"https?://127\.0\.0\.1:[1-9][0-9]*",
                          self.log_text(self.log_size_before))
        if not urls:
            return False
        self.url = urls[-1]
        try:
            with urllib.request.urlopen(self.url + "/readyz", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def log_text(self, start_bytes=0):
        with open(self.root / "log", "rb") as log:
            log.seek(start_bytes)
            return log.read().decode(errors="replace")

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(timeout=60)
        self.log.close()
        self.log_size_before = (self.root / "log").stat().st_size

    def psql(self, statement):
        """What the private PostgreSQL prints of it."""
        run = self.data / "run"
        command = ["psql", "-qAt", "-h", str(run), "-U", "mendel", "mendel", "-c", statement]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid", str(run.stat().st_uid), "--clear-groups", *command]
        return subprocess.run(command, check=True, capture_output=True, text=True,
                              cwd="/").stdout.strip()

    def remove(self):
        if self.process and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def request(self, method, path, body=None, headers=(), token=None):
        """Status, headers and bytes of one request; errors are answers."""
        request = urllib.request.Request(self.url + path, method=method, data=body)
        request.add_header("Authorization", "Bearer " + (token or self.token))
        for name, value in dict(headers).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()


class ServerTest(unittest.TestCase):
    server_options = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.server_options)
        cls.namespace_count = 0

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="mendel-test-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        type(self).namespace_count += 1
        self.namespace = f"ns{self.namespace_count}"
        self.mendel("namespace", "create", self.namespace)

    def environment(self, **changes):
        plain = {name: value for name, value in os.environ.items()
                 if not name.startswith("MENDEL") and name != "BINARY_TAG"}
        return plain | {"MENDEL_URL": self.server.url, "MENDEL_TOKEN": self.server.token,
                        "XDG_CONFIG_HOME": str(self.directory / "config")} | changes

    def mendel(self, *arguments, status=0, **changes):
        """Runs the command in the test's directory; its standard output."""
        return self.run_mendel(*arguments, status=status, **changes).stdout

    def mendel_json(self, *arguments, **changes):
        return json.loads(self.mendel(*arguments, "--json", **changes))

    def run_mendel(self, *arguments, status=0, **changes):
        done = subprocess.run([os.environ["MENDEL"], *map(str, arguments)], cwd=self.directory,
                              env=self.environment(**changes), capture_output=True, text=True,
                              timeout=300, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status,
                         f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def path(self, name):
        return self.directory / name

    def write(self, name, content):
        """Makes a file in the test's directory; content is bytes or text."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path
