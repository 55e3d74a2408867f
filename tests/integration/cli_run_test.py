"""`mendel run`, seen from outside: what it records, and what the command in it notices."""

import fcntl
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import termios
import time
import unittest

import mendel_fixture

WAIT_SECONDS_MAX = 60


def wait_until(what, condition):
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.02)
    return found


def is_stopped(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "T"


class RunTest(mendel_fixture.ServerTest):
    def setUp(self):
        super().setUp()
        self.mendel("namespace", "create", self.namespace + "-other")

    def get(self, path):
        status, _, body = self.server.request("GET", path)
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def run_of(self, run):
        return self.get(f"/api/v1/runs/{run}")

    def newest_run(self):
        return self.run_of(self.get(f"/api/v1/runs?namespace={self.namespace}")["items"][0]["id"])

    def start(self, *options, **changes):
        return self.mendel("run", "start", f"{self.namespace}/r", "--no-git", *options,
                           **changes).strip()

    def points(self, run, name):
        return [(point["step"], point["value"])
                for point in self.get(f"/api/v1/runs/{run}/metrics?name={name}")["points"]]

    def exec(self, *command, status=0, **changes):
        """Runs it under `run exec`; what it printed, and the run."""
        done = self.run_mendel("run", "exec", "--name", f"{self.namespace}/r", "--no-git", "--",
                               *command, status=status, **changes)
        return done, self.newest_run()

    def popen(self, *command, **options):
        process = subprocess.Popen(
            [os.environ["MENDEL"], "run", "exec", "--name", f"{self.namespace}/r", "--no-git",
             "--", *command], cwd=self.directory, env=self.environment(), **options)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
            process.wait()

    def wait_for_file(self, name):
        return wait_until(name, lambda: self.path(name).exists() and self.path(name).read_text())


class ExecTest(RunTest):
    def test_records_a_command_that_succeeds(self):
        done, run = self.exec("sh", "-c", "echo $MENDEL_RUN; echo err >&2", MENDEL_SITE="CNAF")
        self.assertEqual(done.stdout.strip(), run["id"])
        self.assertIn("err", done.stderr)
        self.assertEqual((run["status"], run["exit_status"]), ("finished", 0))
        resources = run["resources"]
        self.assertGreater(resources["wall_seconds"], 0)
        self.assertGreater(resources["peak_memory_bytes"], 0)
        self.assertGreaterEqual(resources["cpu_seconds"], 0)
        self.assertEqual((resources["host"], resources["site"]), (socket.gethostname(), "CNAF"))
        self.assertNotIn("gpu_seconds", resources)

    def test_records_the_command_and_where_it_is_run(self):
        self.write("tree/below/a", "1")
        git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
        for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
            subprocess.run(git + arguments, cwd=self.path("tree"), check=True)
        for directory, below in (("tree/below", "below"), ("tree", "")):
            subprocess.run([os.environ["MENDEL"], "run", "exec", "--name", f"{self.namespace}/r",
                            "--", "true", "a b"], cwd=self.path(directory), check=True,
                           env=self.environment())
            run = self.newest_run()
            self.assertEqual((run["command"], run.get("directory")), (["true", "a b"], below))
            self.assertIn("commit", run["source"])

    def test_ends_with_the_status_of_the_command(self):
        _, run = self.exec("sh", "-c", "exit 7", status=7)
        self.assertEqual((run["status"], run["exit_status"]), ("failed", 7))

    def test_passes_the_arguments_on_as_they_are(self):
        done, _ = self.exec(sys.executable, "-c", "import sys; print(sys.argv[1:])", "--json", "-h",
                            "show", "--", "", "a b")
        self.assertEqual(done.stdout.strip(), "['--json', '-h', 'show', '--', '', 'a b']")

    def test_says_which_signal_ended_the_command(self):
        _, run = self.exec("sh", "-c", "kill -KILL $$", status=128 + 9)
        self.assertEqual((run["status"], run["exit_status"]), ("killed", 137))

    def test_fails_where_there_is_no_such_command(self):
        done, run = self.exec("/no/such/command", status=127)
        self.assertIn("no such command", done.stderr)
        self.assertEqual(run["status"], "failed")

    def test_measures_what_the_children_of_the_command_take(self):
        program = "x = bytearray(300 << 20); sum(range(5000000))"
        _, run = self.exec("sh", "-c", f"{sys.executable} -c '{program}'; true")
        self.assertGreater(run["resources"]["cpu_seconds"], 0)
        self.assertGreater(run["resources"]["peak_memory_bytes"], 300 << 20)

    def test_asks_nvidia_smi_where_there_is_one(self):
        self.write("bin/nvidia-smi", "#!/bin/sh\necho '0, GPU-aa, 50, 100.0'\necho ready >smi\n"
                                     "exec sleep 1000\n").chmod(0o755)
        path = f"{self.path('bin')}:{os.environ['PATH']}"
        _, run = self.exec("sh", "-c", "until test -s smi; do sleep 0.01; done; sleep 0.2",
                           PATH=path)
        resources = run["resources"]
        self.assertGreater(resources["gpu_seconds"], 0)
        self.assertLess(resources["gpu_seconds"], resources["wall_seconds"])
        self.assertGreater(resources["energy_kwh"], 0)

    def test_is_named_after_the_command_in_the_only_namespace(self):
        self.mendel("principal", "create", f"p-{self.namespace}", "--kind", "service")
        self.mendel("namespace", "grant", self.namespace, f"p-{self.namespace}", "writer")
        token = self.mendel_json("token", "create", "--principal", f"p-{self.namespace}", "--name",
                                 "t", "--scope", "read", "--scope", "write")["secret"]
        self.mendel("run", "exec", "--no-git", "--", "sh", "-c", ":", MENDEL_TOKEN=token)
        self.assertEqual(self.newest_run()["name"], "sh")

    def test_gives_the_command_the_signals_that_it_is_sent(self):
        process = self.popen("sh", "-c", "trap 'exit 5' TERM; : >up; echo 1 >up;"
                                         "while :; do sleep 0.02; done")
        self.wait_for_file("up")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 5)
        self.assertEqual(self.newest_run()["exit_status"], 5)

    def test_ends_by_a_signal_that_the_command_does_not_catch(self):
        process = self.popen("sh", "-c", "echo 1 >up; exec sleep 1000")
        self.wait_for_file("up")
        process.send_signal(signal.SIGHUP)
        self.assertEqual(process.wait(60), 128 + signal.SIGHUP)
        self.assertEqual(self.newest_run()["status"], "killed")

    def test_notices_that_the_command_was_killed(self):
        process = self.popen("sh", "-c", "echo $$ >pid; exec sleep 1000")
        os.kill(int(self.wait_for_file("pid")), signal.SIGKILL)
        self.assertEqual(process.wait(60), 137)
        self.assertEqual(self.newest_run()["status"], "killed")

    def test_stops_and_goes_on_with_the_command(self):
        # In a group with a parent outside of it, as a shell's jobs are: an orphaned one, which a
        # test without a terminal may be in, does not stop.
        process = self.popen("sh", "-c", "echo $$ >pid; until test -s go; do sleep 0.02; done",
                             process_group=0)
        child = int(self.wait_for_file("pid"))
        process.send_signal(signal.SIGTSTP)
        wait_until("both to stop", lambda: is_stopped(process.pid) and is_stopped(child))
        process.send_signal(signal.SIGCONT)
        wait_until("both to go on", lambda: not is_stopped(process.pid) and not is_stopped(child))
        self.write("go", "1")
        self.assertEqual(process.wait(60), 0)

    # The terminal sends SIGINT to the command as well: once is enough.
    def test_lets_the_command_have_one_interrupt_of_a_terminal(self):
        self.write("count.py", """
import signal, time
count = 0
def on_interrupt(*_):
    global count
    count += 1
signal.signal(signal.SIGINT, on_interrupt)
open("up", "w").write("1")
while not count:
    time.sleep(0.01)
time.sleep(0.3)
raise SystemExit(40 + count)
""")
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = self.popen(
            sys.executable, "count.py", stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(theirs)
        self.wait_for_file("up")
        os.write(ours, b"\x03")
        self.assertEqual(process.wait(60), 41)

    def lose(self, run):
        """Lets the heartbeat of the run be overdue."""
        self.server.psql(f"update run set lost_after = now() - interval '1 hour' "
                         f"where uuid = '{run}'")
        wait_until("the run to be lost", lambda: self.run_of(run)["status"] == "lost")

    def test_comes_back_after_it_was_lost(self):
        process = self.popen("sh", "-c", "echo $MENDEL_RUN >id; until test -s go; do sleep 0.02;"
                                         "done")
        run = self.wait_for_file("id").strip()
        process.send_signal(signal.SIGSTOP)
        self.lose(run)
        process.send_signal(signal.SIGCONT)
        wait_until("it to come back", lambda: self.run_of(run)["status"] == "running")
        self.write("go", "1")
        self.assertEqual(process.wait(60), 0)
        self.assertEqual(self.run_of(run)["status"], "finished")

    def test_leaves_the_command_alone_when_it_is_killed(self):
        process = self.popen("sh", "-c", "echo $MENDEL_RUN >id; until test -s go; do sleep 0.02;"
                                         "done; \"$0\" run log --metric loss=1 --step 2; echo 1 >end",
                             os.environ["MENDEL"])
        run = self.wait_for_file("id").strip()
        process.kill()
        process.wait()
        self.lose(run)
        self.assertIn("running", self.mendel("run", "heartbeat", "--run", run))
        self.write("go", "1")
        self.wait_for_file("end")
        self.assertEqual(self.points(run, "loss"), [(2, 1)])
        self.mendel("run", "finish", "--run", run, "--status", "killed")
        self.assertEqual(self.run_of(run)["status"], "killed")

    def test_does_not_begin_the_command_while_the_server_is_away(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        self.mendel("run", "exec", "--name", "ns/r", "--", "touch", "begun", status=13,
                    MENDEL_URL=f"http://127.0.0.1:{port}")
        self.assertFalse(self.path("begun").exists())

    def test_says_so_when_the_end_cannot_be_recorded(self):
        token = self.mendel_json("token", "create", "--name", "t", "--scope", "read", "--scope",
                                 "write")
        revoke = f"MENDEL_TOKEN={self.server.token} '{os.environ['MENDEL']}' token revoke " \
                 f"{token['id']}; exit 3"
        done, run = self.exec("sh", "-c", revoke, status=3, MENDEL_TOKEN=token["secret"])
        self.assertIn(f"mendel run finish --run {run['id']} --status failed", done.stderr)
        self.assertEqual(run["status"], "running")

    def test_takes_hyperparameters_inputs_and_labels(self):
        self.write("d", "1")
        self.mendel("push", "dataset", f"{self.namespace}/d", "d", "--no-git")
        self.write("p.json", '{"lr": 0.001}')
        self.mendel("run", "exec", "--name", f"{self.namespace}/r", "--no-git", "--params", "p.json",
                    "--data", f"{self.namespace}/d", "--label", "year=2016", "-m", "why", "--keep",
                    "last:2", "--", "true")
        run = self.newest_run()
        self.assertEqual(run["hyperparameters"]["value"], {"lr": 0.001})
        self.assertEqual(run["inputs"][0]["ref"], f"{self.namespace}/d:1")
        self.assertEqual((run["labels"], run["message"], run["keep"]),
                         ({"year": "2016"}, "why", "last:2"))

    def test_refuses_bad_hyperparameters_before_the_command_begins(self):
        self.write("p.json", '{"lr": [1, 1e999]}')
        done = self.run_mendel("run", "exec", "--name", f"{self.namespace}/r", "--params", "p.json",
                               "--", "touch", "begun", status=1)
        self.assertIn("lr", done.stderr)
        self.assertFalse(self.path("begun").exists())
        self.assertEqual(self.get(f"/api/v1/runs?namespace={self.namespace}")["items"], [])


class RestartTest(unittest.TestCase):
    def test_a_server_that_restarts_in_between_is_not_noticed(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = mendel_fixture.Server(port=port)
        self.addCleanup(server.remove)
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("MENDEL_")} | {
            "MENDEL_URL": server.url, "MENDEL_TOKEN": server.token,
            "XDG_CONFIG_HOME": str(server.root / "config")}
        subprocess.run([os.environ["MENDEL"], "namespace", "create", "lhcb"], env=environment,
                       check=True, capture_output=True)
        process = subprocess.Popen(
            [os.environ["MENDEL"], "run", "exec", "--name", "lhcb/r", "--no-git", "--", "sh", "-c",
             "echo $MENDEL_RUN >id; until test -s go; do sleep 0.02; done; exit 4"],
            cwd=server.root, env=environment)
        run = wait_until("the run", lambda: (server.root / "id").exists()
                         and (server.root / "id").read_text().strip())
        server.stop(signal.SIGKILL)
        (server.root / "go").write_text("1")
        server.start()
        self.assertEqual(process.wait(150), 4)
        _, _, body = server.request("GET", f"/api/v1/runs/{run}")
        self.assertEqual(json.loads(body)["status"], "failed")


class StepByStepTest(RunTest):
    def test_is_started_logged_and_finished(self):
        run = self.start("--label", "a=b")
        self.mendel("run", "log", "--run", run, "--metric", "loss=0.5", "--metric", "bad=nan",
                    "--step", "100")
        self.mendel("run", "log", "--metric", "loss=0.25", "--step", "200", MENDEL_RUN=run)
        self.assertEqual(self.points(run, "loss"), [(100, 0.5), (200, 0.25)])
        self.assertEqual(self.points(run, "bad"), [(100, "NaN")])
        self.mendel("run", "finish", "--run", run, "--status", "finished", "--resource",
                    "gpu_seconds=21000", "--resource", "site=CNAF")
        found = self.run_of(run)
        self.assertEqual(found["status"], "finished")
        self.assertEqual(found["resources"], {"gpu_seconds": 21000, "site": "CNAF"})

    def test_is_recorded_once_however_often_it_is_sent(self):
        run = self.start()
        for expected in (1, 0):
            counts = self.mendel_json("run", "log", "--run", run, "--metric", "loss=0.5", "--step",
                                      "1")
            self.assertEqual((counts["accepted"], counts["duplicates"]), (expected, 1 - expected))
        for _ in range(2):
            self.mendel("run", "finish", "--run", run, "--status", "failed")

    def test_is_exported_for_a_shell(self):
        script = f"""set -e
            eval "$('{os.environ['MENDEL']}' run start {self.namespace}/r --no-git --shell)"
            '{os.environ['MENDEL']}' run log --metric loss=1 --step 3
            '{os.environ['MENDEL']}' run finish --status finished
            echo $MENDEL_RUN"""
        done = subprocess.run(["sh", "-c", script], cwd=self.directory, env=self.environment(),
                              capture_output=True, text=True, check=True)
        self.assertEqual(self.points(done.stdout.strip(), "loss"), [(3, 1)])

    def log_lines(self, run, text, status=0):
        done = subprocess.run([os.environ["MENDEL"], "run", "log", "--run", run, "--json"],
                              cwd=self.directory, env=self.environment(), input=text,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def test_takes_points_in_bulk(self):
        run = self.start()
        lines = [json.dumps({"name": f"m{i % 3}", "step": i, "value": i / 7}) for i in range(10000)]
        counts = json.loads(self.log_lines(run, "\n".join(lines)).stdout)
        self.assertEqual(counts, {"accepted": 10000, "duplicates": 0})
        again = json.loads(self.log_lines(run, "\n".join(lines) + "\n\n").stdout)
        self.assertEqual(again, {"accepted": 0, "duplicates": 10000})
        self.assertEqual(len(self.points(run, "m1")), 3333)

    def test_says_which_line_is_wrong_and_keeps_what_came_before(self):
        run = self.start()
        good = json.dumps({"name": "loss", "step": 1, "value": "Infinity"})
        bad = '{"name": "loss", "step": 2, "value": NaN}'
        done = self.log_lines(run, f"{good}\n\n{bad}\n{good}\n", status=1)
        self.assertIn("line 3", done.stderr)
        self.assertEqual(self.points(run, "loss"), [(1, "Infinity")])

    def test_sends_the_points_of_a_slow_training_as_they_come(self):
        run = self.start()
        process = subprocess.Popen([os.environ["MENDEL"], "run", "log", "--run", run],
                                   stdin=subprocess.PIPE, env=self.environment(), text=True)
        self.addCleanup(self.end, process)
        process.stdin.write('{"name": "loss", "step": 1, "value": 2}\n{"name": "lo')
        process.stdin.flush()
        wait_until("the point", lambda: any(
            item["name"] == "loss" for item in self.get(f"/api/v1/runs/{run}/metrics")["items"]))
        process.communicate('ss", "step": 2, "value": 3}')
        self.assertEqual(process.returncode, 0)
        self.assertEqual(self.points(run, "loss"), [(1, 2), (2, 3)])

    def test_refuses_what_is_no_point_of_a_run(self):
        run = self.start()
        for arguments in (["--metric", "loss=low", "--step", "1"], ["--metric", "loss=1"],
                          ["--step", "1"], ["--metric", "loss=1", "--step", "-1"],
                          ["--metric", "loss=1", "--step", "1", "--time", "now"]):
            self.mendel("run", "log", "--run", run, *arguments, status=1)
        self.mendel("run", "log", "--metric", "loss=1", "--step", "1", status=1)
        self.mendel("run", "log", "--run", "../whoami", "--metric", "a=1", "--step", "1", status=1)
        self.assertEqual(self.get(f"/api/v1/runs/{run}/metrics")["items"], [])

    def test_refuses_points_of_a_run_that_is_over(self):
        run = self.start()
        self.mendel("run", "finish", "--run", run, "--status", "finished")
        self.mendel("run", "log", "--run", run, "--metric", "a=1", "--step", "1", status=11)
        self.mendel("run", "finish", "--run", run, "--status", "failed", status=11)

    def test_shows_and_lists(self):
        run = self.start("-m", "second try")
        self.mendel("run", "log", "--run", run, "--metric", "loss=0.5", "--step", "1")
        shown = self.mendel("run", "show", run)
        for text in (run, f"{self.namespace}/r", "running", "second try", "loss = 0.5"):
            self.assertIn(text, shown)
        self.assertEqual(self.mendel_json("run", "show", MENDEL_RUN=run)["id"], run)
        self.mendel("run", "finish", "--run", run, "--status", "finished")
        other = self.start()
        listed = self.mendel("run", "list", "--namespace", self.namespace)
        self.assertLess(listed.index(other), listed.index(run))
        finished = self.mendel_json("run", "list", "--namespace", self.namespace, "--status",
                                    "finished")
        self.assertEqual([item["id"] for item in finished["items"]], [run])

    def test_has_a_namespace(self):
        self.mendel("run", "start", "r", status=1)
        self.start(MENDEL_NAMESPACE="nowhere")
        run = self.mendel("run", "start", "r", "--no-git", MENDEL_NAMESPACE=self.namespace).strip()
        self.assertEqual(self.run_of(run)["namespace"], self.namespace)
        self.mendel("run", "start", "nowhere/r", "--no-git", status=10)


class CheckpointTest(RunTest):
    def test_keeps_files_by_the_rules_of_the_run(self):
        run = self.start("--keep", "best:1:chi2:min,last:1")
        for step, chi2 in enumerate([3, 1, 2, 4]):
            self.write("w/weights", f"of step {step}" * 1000)
            printed = self.mendel("run", "checkpoint", "--run", run, "--step", str(step), "--metric",
                                  f"chi2={chi2}", "w")
            self.assertIn(f"step {step}  sha256:", printed)
        found = self.get(f"/api/v1/runs/{run}/checkpoints")["items"]
        self.assertEqual({item["step"]: item["state"] for item in found},
                         {0: "dropped", 1: "kept", 2: "dropped", 3: "kept"})

    def test_sends_of_a_file_that_grows_what_is_new(self):
        run = self.start()
        content = os.urandom(8 << 20)
        self.write("w", content)
        self.mendel("run", "checkpoint", "--run", run, "--step", "1", "w")
        log_size = len(self.server.log_text())
        self.write("w", content + os.urandom(1 << 16))
        self.mendel("run", "checkpoint", "--run", run, "--step", "2", "w")
        self.assertNotIn("blobs/sha256", self.server.log_text(log_size))

    def test_is_repeated_without_harm(self):
        run = self.start()
        self.write("w", "weights")
        first = self.mendel_json("run", "checkpoint", "--run", run, "--step", "1", "w")
        again = self.mendel_json("run", "checkpoint", "--run", run, "--step", "1", "w")
        self.assertEqual(first, again)

    def test_is_refused_for_a_run_that_is_over(self):
        run = self.start()
        self.mendel("run", "finish", "--run", run, "--status", "finished")
        self.write("w", "weights")
        self.mendel("run", "checkpoint", "--run", run, "--step", "1", "w", status=11)


if __name__ == "__main__":
    unittest.main(verbosity=2)
