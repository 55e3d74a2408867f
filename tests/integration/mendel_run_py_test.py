"""cli/python/mendel_run.py, as a training script uses it: against a server, and with a journal."""

import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import unittest

import mendel_fixture

PYTHON = pathlib.Path(__file__).resolve().parents[2] / "cli/python"


class PythonTest(mendel_fixture.ServerTest):
    def script(self, text, status=0, **changes):
        """Runs a script that has imported mendel_run, and NS, as `m`; what it printed."""
        head = "import os, sys, time, math\nimport mendel_run as m\nNS = os.environ['NS']\n"
        environment = self.environment(PYTHONPATH=str(PYTHON), PYTHONDONTWRITEBYTECODE="1",
                                       NS=self.namespace, **changes)
        done = subprocess.run([sys.executable, "-W", "error", "-c", head + text],
                              cwd=self.directory, env=environment, capture_output=True, text=True,
                              timeout=300)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.stderr = done.stderr
        return done.stdout.strip()

    def get(self, path):
        status, _, body = self.server.request("GET", path)
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def run_of(self, run):
        return self.get(f"/api/v1/runs/{run}")

    def points(self, run, name="loss"):
        return [(point["step"], point["value"]) for point in
                self.get(f"/api/v1/runs/{run}/metrics?name={name}&limit=1000")["points"]]


class ServerTest(PythonTest):
    def test_records_a_training(self):
        self.write("d", "1")
        self.mendel("push", "dataset", f"{self.namespace}/d", "d", "--no-git")
        run = self.script("""
with m.start(NS + "/r", hyperparameters={"lr": 1e-3, "layers": (128, 128)}, source=None,
             inputs=[{"role": "trained-on", "ref": NS + "/d"}], labels={"year": 2016},
             message="why", keep="last:2") as run:
    print(run.id)
    for step in range(50):
        run.log(step, loss=step / 2)
    run.log(50, {"loss/a b": math.nan, "up": math.inf}, down=-math.inf)
""")
        found = self.run_of(run)
        self.assertEqual(found["status"], "finished")
        self.assertEqual(found["hyperparameters"]["value"], {"lr": 0.001, "layers": [128, 128]})
        self.assertEqual(found["inputs"][0]["ref"], f"{self.namespace}/d:1")
        self.assertEqual((found["labels"], found["message"], found["keep"]),
                         ({"year": "2016"}, "why", "last:2"))
        self.assertGreater(found["resources"]["wall_seconds"], 0)
        self.assertEqual(found["heartbeat_seconds"], 60)
        self.assertEqual(self.points(run), [(step, step / 2) for step in range(50)])
        self.assertEqual([found["metrics"][name] for name in ("loss/a b", "up", "down")],
                         ["NaN", "Infinity", "-Infinity"])

    def test_says_how_a_training_ended(self):
        for text, status, expected in (("raise ValueError()", 1, "failed"),
                                       ("raise KeyboardInterrupt()", None, "killed"),
                                       ("sys.exit(0)", 0, "finished"),
                                       ("sys.exit(3)", 3, "failed")):
            program = f"with m.start(NS + '/r', source=None) as run:\n" \
                      f"    print(run.id, flush=True)\n    {text}\n"
            run = self.script(program, status=-2 if status is None else status)
            self.assertEqual(self.run_of(run)["status"], expected, text)

    def test_keeps_checkpoints_and_makes_a_version_of_the_best(self):
        run, digest = self.script("""
os.mkdir("w")
with m.start(NS + "/r", source=None, keep="best:1:chi2:min") as run:
    for step, chi2 in enumerate((3, 1, 2)):
        with open("w/weights", "w") as file:
            file.write("of step %d" % step)
        made = run.checkpoint(step, "w", metrics={"chi2": chi2})
    version = run.push("model", NS + "/x", checkpoint="best:chi2:min", aliases=["staging"])
print(run.id, version["digest"])
""").split()
        states = {item["step"]: item["state"]
                  for item in self.get(f"/api/v1/runs/{run}/checkpoints")["items"]}
        self.assertEqual(states, {0: "dropped", 1: "kept", 2: "dropped"})
        self.assertEqual(self.mendel("cat", f"{self.namespace}/x@staging", "weights"), "of step 1")
        shown = self.mendel_json("show", f"{self.namespace}/x")
        self.assertEqual((shown["digest"], shown["run"]), (digest, run))

    def test_makes_the_version_that_the_command_makes(self):
        self.write("out/bin/run", "#!/bin/sh\n").chmod(0o755)
        self.write("out/void", "")
        self.write("out/µ \"quoted\"", "unicode")
        self.path("out/empty").mkdir()
        self.path("out/latest").symlink_to("bin/run")
        self.write("out/.mendel/state", "left out")
        pushed = self.mendel_json("push", "model", f"{self.namespace}/x", "out", "--no-git")
        digest = self.script("""
version = m.push("model", NS + "/y", "out", message="why", labels={"a": 1}, metrics={"x": 2.5})
print(version["digest"])
""")
        self.assertEqual(digest, pushed["digest"])
        shown = self.mendel_json("show", f"{self.namespace}/y:1")
        self.assertEqual((shown["message"], shown["labels"], shown["metrics"]),
                         ("why", {"a": "1"}, {"x": 2.5}))
        self.mendel("verify", f"{self.namespace}/y:1")

    def test_joins_the_run_of_the_command(self):
        program = "import mendel_run\nrun = mendel_run.attach()\nrun.log(3, loss=1.5)\n"
        self.write("train.py", program)
        self.mendel("run", "exec", "--name", f"{self.namespace}/r", "--no-git", "--",
                    sys.executable, "train.py", PYTHONPATH=str(PYTHON), PYTHONDONTWRITEBYTECODE="1")
        found = self.get(f"/api/v1/runs?namespace={self.namespace}")["items"][0]
        self.assertEqual((found["status"], self.points(found["id"])), ("finished", [(3, 1.5)]))

    def test_is_used_by_threads_and_by_children(self):
        run = self.script("""
import threading
with m.start(NS + "/r", source=None) as run:
    print(run.id, flush=True)
    run.log(0, loss=0)
    threads = [threading.Thread(target=lambda i=i: [run.log(s, loss=i) for s in range(100)])
               for i in range(1, 4)]
    for thread in threads: thread.start()
    child = os.fork()
    if child == 0:
        run.log(7, child=1)
        os._exit(0 if run.flush() else 1)
    for thread in threads: thread.join()
    assert os.waitpid(child, 0)[1] == 0
""")
        self.assertEqual(len(self.points(run)), 301)
        self.assertEqual(self.points(run, "child"), [(7, 1)])
        self.assertEqual(self.run_of(run)["status"], "finished")

    def test_sends_what_waits_when_the_interpreter_exits(self):
        run = self.script("run = m.start(NS + '/r', source=None, heartbeat_seconds=None)\n"
                          "print(run.id)\nrun.log(1, loss=2)\n")
        self.assertEqual(self.points(run), [(1, 2)])
        found = self.run_of(run)
        self.assertEqual(found["status"], "running")
        self.assertNotIn("heartbeat_seconds", found)

    def test_records_the_commit(self):
        git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
        self.write("train.py", "1")
        for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "first"],
                          ["remote", "add", "origin", "https://me:secret@example.org/x.git"]):
            subprocess.run(git + arguments, cwd=self.directory, check=True)
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=self.directory, check=True,
                                capture_output=True, text=True).stdout.strip()
        for change, dirty in (("1", False), ("2", True)):
            self.write("train.py", change)
            run = self.script("print(m.start(NS + '/r').id)")
            self.assertEqual(self.run_of(run)["source"],
                             {"commit": commit, "branch": "main", "dirty": dirty,
                              "repository": "https://example.org/x.git"})

    def test_refuses_what_cannot_be_recorded(self):
        self.script("""
def refused(call, *kinds):
    try:
        call()
    except kinds as error:
        return str(error)
    raise AssertionError("not refused")
message = refused(lambda: m.start(NS + "/r", hyperparameters={"a": [1, math.nan]}), m.MendelError)
assert "hyperparameters.a[1]" in message, message
refused(lambda: m.start(NS + "/r", hyperparameters={"a": 2 ** 53 + 1}), m.MendelError)
refused(lambda: m.start("nowhere/r", source=None), m.MendelError)
refused(lambda: m.start("r"), m.MendelError)
refused(lambda: m.attach("../whoami"), m.MendelError)
run = m.start(NS + "/r", source=None)
refused(lambda: run.log(1.5, loss=1), ValueError)
refused(lambda: run.log(-1, loss=1), ValueError)
refused(lambda: run.log(1, loss="low"), ValueError)
refused(lambda: run.log(1, {"": 1}), ValueError)
refused(lambda: run.log(1, {"a\\nb": 1}), ValueError)
refused(lambda: run.checkpoint(1), m.MendelError)
refused(lambda: run.push("model", NS + "/x", "absent"), OSError)
try:
    run.finish("over")
except m.MendelError as error:
    assert error.status in (400, 422) and error.problem["type"].startswith("/problems/")
else:
    raise AssertionError("not refused")
""")

    def test_says_which_points_are_lost(self):
        run = self.script("""
run = m.start(NS + "/r", source=None)
other = m.attach(run.id)
run.finish()
other.log(1, loss=1)
assert not other.flush() and other.lost_points == 1
run.log(2, loss=1)
assert run.lost_points == 1
print(run.id)
""")
        self.assertIn("lost", self.stderr)
        self.assertEqual(self.get(f"/api/v1/runs/{run}/metrics")["items"], [])


class AwayTest(PythonTest):
    def test_never_waits_for_a_server_that_is_away(self):
        with Gate(self.server.url, self.server.token) as gate:
            run = self.script("""
import urllib.request
def gate(state): urllib.request.urlopen(os.environ["MENDEL_URL"] + "/gate/" + state).read()
m.MAX_WAITING_POINTS = 100
run = m.start(NS + "/r", source=None)
gate("closed")
for step in range(150):
    run.log(step, loss=step)
assert run.lost_points == 50, run.lost_points
gate("open")
assert run.flush()
run.finish()
print(run.id)
""", MENDEL_URL=gate.url)
        self.assertEqual(len(self.points(run)), 100)
        self.assertIn("lost", self.stderr)


class Gate:
    """A server in front of the server, which answers 503 while it is closed."""

    def __init__(self, url, token):
        gate = self
        self.is_open = True

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.path.startswith("/gate/"):
                    gate.is_open = self.path.endswith("open")
                    return self.send(200, b"")
                if not gate.is_open:
                    return self.send(503, b"")
                headers = {name: self.headers[name] for name in ("Content-Type", "Idempotency-Key")
                           if name in self.headers}
                status, _, data = mendel_fixture.Server.request(
                    Target(url, token), self.command, self.path, body or None, headers)
                self.send(status, data)

            def send(self, status, data):
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_HEAD = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Target:
    def __init__(self, url, token):
        self.url = url
        self.token = token


class JournalTest(PythonTest):
    NOWHERE = {"MENDEL_URL": "http://127.0.0.1:9", "MENDEL_JOURNAL": "j"}

    def test_writes_the_journal_of_the_command(self):
        self.write("w/weights", "1")
        self.write("w/bin/run", "2").chmod(0o755)
        run = self.script("""
with m.start(NS + "/r", source=None, hyperparameters={"name": "µ"}) as run:
    print(run.id, flush=True)
    for step in range(2500):
        run.log(step, loss=step)
    run.checkpoint(7, "w", metrics={"chi2": math.inf})
    run.push("model", NS + "/x", "w", aliases=["staging"])
""", **self.NOWHERE)
        self.mendel("run", "log", "--run", run, "--journal", "j2", "--metric", "a=1", "--step", "1")
        report = self.mendel_json("send", "j")
        self.assertEqual((report["points"], report["checkpoints"], report["versions"]),
                         (2500, 1, [f"{self.namespace}/x:1"]))
        found = self.run_of(run)
        self.assertEqual((found["status"], found["hyperparameters"]["value"]),
                         ("finished", {"name": "µ"}))
        self.assertNotIn("heartbeat_seconds", found)
        files = self.mendel_json("files", f"{self.namespace}/x@staging")["files"]
        self.assertEqual([(file["path"], file.get("executable", False)) for file in files],
                         [("bin/run", True), ("weights", False)])
        again = self.mendel_json("send", "j")
        self.assertEqual((again["points"], again["versions"]), (0, []))

    def test_shares_a_journal_with_the_command(self):
        run = self.mendel("run", "start", f"{self.namespace}/r", "--no-git", **self.NOWHERE).strip()
        for step in range(0, 6, 2):
            self.script(f"run = m.attach()\nrun.log({step}, loss={step})\n", MENDEL_RUN=run,
                        **self.NOWHERE)
            self.mendel("run", "log", "--metric", f"loss={step + 1}", "--step", str(step + 1),
                        MENDEL_RUN=run, **self.NOWHERE)
        self.assertEqual(self.mendel_json("send", "j")["points"], 6)
        self.assertEqual(self.points(run), [(step, step) for step in range(6)])

    # What a kill left is cut off by whoever comes next, at whichever byte it was.
    def test_mends_what_a_kill_left(self):
        self.script("""
import shutil
m.start(NS + "/r", source=None, journal="k")
whole = os.path.getsize("k/journal")
journal = m._Journal("k")
journal.append({"type": "metrics", "run": "x" * 40, "metrics": []})
with open("k/journal", "rb") as file: data = file.read()
for size in range(whole, len(data)):
    with open("k/journal", "wb") as file: file.write(data[:size])
    journal.append({"type": "a"})
    with open("k/journal", "rb") as file:
        assert file.read() == data[:whole] + journal._frame(b'{"type":"a"}'), size
for size in range(0, 48):
    with open("k/journal", "wb") as file: file.write(data[:size])
    journal.append({"type": "a"})
    assert os.path.getsize("k/journal") == 48 + len(journal._frame(b'{"type":"a"}')), size
with open("k/journal", "wb") as file:
    file.write(data[:60] + b"?" + data[61:-3])  # damaged, then whole? no: damaged, then torn
journal.append({"type": "a"})
assert os.path.getsize("k/journal") == 48 + len(journal._frame(b'{"type":"a"}'))
with open("k/journal", "wb") as file:
    file.write(data[:60] + b"?" + data[61:] + b"torn")
journal.append({"type": "a"})
assert os.path.getsize("k/journal") == len(data) + len(journal._frame(b'{"type":"a"}'))
""")


if __name__ == "__main__":
    unittest.main(verbosity=2)
