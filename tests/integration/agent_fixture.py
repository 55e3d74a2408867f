"""Agents beside a running server, for tests: what mendel_fixture.py is for the command alone.

Commands of jobs are shell scripts of the test's repository, which agents fetch over HTTP as it lies
on the disk (git's "dumb" protocol): pipelines let the agent resolve its ref.
"""

import contextlib
import functools
import http.server
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

import mendel_fixture

WAIT_SECONDS_MAX = 120
LEASE_SECONDS = 5  # the shortest
ENDED = ("succeeded", "failed", "cancelled", "lost")


def wait_until(what, condition):
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.02)
    return found


def processes_with(*variables):
    """Numbers of the processes that have all of them in their environment."""
    wanted = {variable.encode() for variable in variables}
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if wanted <= set((entry / "environ").read_bytes().split(b"\0")):
                    found.append(int(entry.name))
    return found


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def serve(test, directory):
    """The URL of a directory, as long as the test lasts."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Files, directory=directory))
    server.handle_error = lambda *_: None  # of a client that goes away
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    test.addCleanup(thread.join)
    test.addCleanup(server.server_close)
    test.addCleanup(server.shutdown)
    return f"http://127.0.0.1:{server.server_address[1]}"


class AgentTest(mendel_fixture.ServerTest):
    def setUp(self):
        super().setUp()
        self.queue = "q-" + self.namespace
        self.mendel("principal", "create", "site-" + self.namespace, "--kind", "service")
        self.mendel("namespace", "grant", self.namespace, "site-" + self.namespace, "writer")
        self.agent_token = self.mendel(
            "token", "create", "--principal", "site-" + self.namespace, "--name", "agent",
            "--scope", "agent").strip()
        self.tree = self.path("tree")
        self.tree.mkdir()
        self.git("init", "-q", "-b", "main")
        self.origin = self.path("www/train.git")
        self.git("init", "-q", "--bare", self.origin)
        self.repository = serve(self, self.path("www")) + "/train.git"

    def git(self, *arguments):
        return subprocess.run(
            ["git", "-c", "user.name=A", "-c", "user.email=a@example.org",
             *map(str, arguments)],
            cwd=self.tree, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, **files):
        """Files by their names, where '_dot_' stands for '.'; the commit."""
        for name, text in files.items():
            path = self.tree / name.replace("_dot_", ".")
            path.write_text(text)
            path.chmod(0o755)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "train")
        self.git("push", "-q", self.origin, "main")
        self.git("--git-dir", self.origin, "update-server-info")
        return self.git("rev-parse", "HEAD")

    def pipeline(self, command, name="make", **members):
        """Applies a pipeline that makes NAMESPACE/model of out/*; its name."""
        document = {
            "kind": "pipeline", "name": f"{self.namespace}/{name}", "engine": "agent",
            "queue": self.queue, "command": command,
            "source": {"repository": self.repository, "ref": "main", "resolve": "agent"},
            "produces": {"artifact": f"{self.namespace}/model", "files": ["out/*"]},
            "retry": {"attempts": 1}} | members
        document = {key: value for key, value in document.items() if value is not None}
        self.write("pipeline.yml", json.dumps(document))
        self.mendel("pipeline", "apply", self.path("pipeline.yml"))
        return document["name"]

    def start_job(self, pipeline, *options):
        return self.mendel("job", "start", pipeline, *options).strip()

    def job(self, job):
        return self.mendel_json("job", "show", job)

    def log(self, job, *options):
        return self.mendel("job", "log", job, *options)

    def wait_for_state(self, job, *states):
        return wait_until(f"{states} of {job}",
                          lambda: (found := self.job(job))["state"] in states and found)

    def wait_for_file(self, path):
        return wait_until(path, lambda: path.exists())

    def versions(self, name="model"):
        status, _, body = self.server.request(
            "GET", f"/api/v1/models/{self.namespace}/{name}/versions")
        return json.loads(body)["items"] if status == 200 else []

    def agent_environment(self):
        environment = self.environment(MENDEL_TOKEN=self.agent_token)
        environment["PATH"] = os.environ["PATH"]
        return environment

    def agent_command(self, *options, work="work"):
        return [os.environ["MENDEL"], "agent", "--queue", self.queue, "--work", self.path(work),
                "--lease-seconds", str(LEASE_SECONDS), *options]

    def agent(self, *options, work="work", **changes):
        """An agent that is ended with the test, and what it runs with it."""
        with open(self.path("agent.log"), "ab") as log:
            process = subprocess.Popen(
                self.agent_command(*options, work=work), cwd=self.directory,
                env=self.agent_environment() | changes, stdout=log, stderr=log)
        self.addCleanup(self.end, process)
        self.addCleanup(self.end_commands)
        return process

    def run_agent_once(self, *options, status=0, **changes):
        done = subprocess.run(
            self.agent_command("--once", *options), cwd=self.directory,
            env=self.agent_environment() | changes, capture_output=True, text=True, timeout=300)
        self.addCleanup(self.end_commands)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    @staticmethod
    def end(process, how=signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(how)
        process.wait(timeout=60)

    def end_commands(self):
        for pid in self.command_processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def command_processes(self):
        """Of this test alone: others run beside it."""
        return processes_with("MENDEL_NAMESPACE=" + self.namespace,
                              "MENDEL_URL=" + self.server.url)

    def directories(self, work="work"):
        jobs = self.path(work) / "jobs"
        return sorted(jobs.iterdir()) if jobs.exists() else []
