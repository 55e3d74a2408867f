"""What goes out of a server and what is told to it: secrets, webhooks through a real git hook,
repositories that are looked at, and commits of jobs, with a real git over HTTP on the loopback
that the operator has permitted."""

import hashlib
import hmac
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import mendel_fixture

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "testing"))
import git_http  # noqa: E402

WAIT_SECONDS_MAX = 60
UNKNOWN = "d" * 40


class EgressTest(mendel_fixture.ServerTest):
    server_options = ("--egress-allow", "127.0.0.1", "--poll-seconds", "1")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.repositories = pathlib.Path(tempfile.mkdtemp(prefix="mendel-test-"))
        cls.git = git_http.GitServer(cls.repositories)

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.git.stop()
        shutil.rmtree(cls.repositories, ignore_errors=True)

    def ask(self, method, path, body=None, status=200, headers=()):
        content = None if body is None else json.dumps(body).encode()
        got, _, answer = self.server.request(method, path, content, headers)
        self.assertEqual(got, status, answer)
        return json.loads(answer) if answer else None

    def repository(self):
        """A served repository with one commit, a clone of it, and its URL."""
        bare = self.git.create(self.namespace)
        url = self.git.url(self.namespace)
        tree = git_http.WorkTree(self.path("tree"), url)
        self.first = tree.commit({"train.py": "1", "data/a": "1"})
        tree.git("push", "--quiet", "origin", "main")
        return bare, tree, url

    def eventually(self, look, what):
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not (found := look()):
            self.assertLess(time.monotonic(), deadline,
                            f"{what} did not happen\n{self.server.log_text()[-3000:]}")
            time.sleep(0.05)
        return found

    def events(self, url):
        normal = url.removeprefix("http://").removesuffix(".git")
        lines = self.server.psql(
            f"select payload from event where topic = 'push/{normal}' order by id")
        return [json.loads(line) for line in lines.splitlines()]

    # --- secrets ------------------------------------------------------------------------

    def test_a_secret_is_in_no_answer_no_log_and_no_table(self):
        value = "hunter2-" + os.urandom(8).hex()
        self.write("value", value + "\n")
        name = f"{self.namespace}/eos-password"
        self.assertEqual(self.mendel("secret", "set", name, "--file", "value"),
                         f"{name} is kept\n")
        self.assertIn("eos-password", self.mendel("secret", "list", self.namespace))
        listed = self.mendel_json("secret", "list", self.namespace)["items"]
        self.assertEqual([item["name"] for item in listed], ["eos-password"])
        self.assertNotIn(value, json.dumps(listed))
        self.assertNotIn(value, self.server.log_text())
        stored = self.server.psql(
            "select encode(sealed, 'escape') from secret where name = 'eos-password'")
        self.assertNotIn(value, stored)
        self.mendel("secret", "delete", name)
        self.run_mendel("secret", "delete", name, status=10)
        self.run_mendel("secret", "set", "no-namespace", "--file", "value", status=1)

    def test_the_key_is_in_a_file_that_nobody_else_reads(self):
        key = self.server.data / "secret-key"
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        report = self.mendel_json("admin", "rotate-secrets")
        self.assertEqual(len(report["key"]), 16)
        self.assertNotIn(report["key"], key.read_text())

    # --- repositories -------------------------------------------------------------------

    def test_a_commit_is_asked_for_where_the_operator_permits_it(self):
        _, _, url = self.repository()
        path = f"/api/v1/repositories/check?repository={url}&commit="
        self.assertEqual(self.ask("GET", path + self.first), {"available": True})
        absent = self.ask("GET", path + UNKNOWN)
        self.assertFalse(absent["available"])
        self.assertIn("has no commit", absent["why"])
        for address in ("http://127.0.0.2/x", "https://169.254.169.254/x", "https://[::1]/x",
                        self.git.url("private/x"), self.git.url("redirect/x")):
            refused = self.ask(
                "GET", f"/api/v1/repositories/check?repository={address}&commit={UNKNOWN}")
            self.assertFalse(refused["available"], address)
        self.assertEqual(list(self.server.data.glob("git-cache/*")), [])

    def test_verify_asks_the_server_where_the_users_git_cannot(self):
        _, tree, url = self.repository()
        self.write("tree/out", "weights")
        self.mendel("push", "model", f"{self.namespace}/m", "tree/out", "--git", "tree")
        self.write("home/.gitconfig", '[url "http://127.0.0.1:1/"]\n    insteadOf = '
                   + url.rsplit("/", 1)[0] + "/\n")
        done = subprocess.run(
            [os.environ["MENDEL"], "verify", f"{self.namespace}/m:1", "--rebuild", "--json"],
            cwd=self.directory, env=self.environment(HOME=str(self.path("home"))),
            capture_output=True, text=True, timeout=300)
        items = json.loads(done.stdout)["items"] if done.stdout else []
        commit = [item for item in items if item["what"] == "commit"]
        self.assertEqual([item["state"] for item in commit], ["available"],
                         done.stdout + done.stderr)
        self.assertIn("by the server", commit[0]["detail"])

    def apply_pipeline(self, url, namespace=None):
        namespace = namespace or self.namespace
        self.ask("PUT", f"/api/v1/pipelines/{namespace}/train", {
            "engine": "agent", "queue": namespace, "command": ["true"],
            "source": {"repository": url, "ref": "main"},
            "produces": {"artifact": f"{namespace}/m", "files": ["out/*"]}}, status=201)

    def start_job(self):
        body = {"pipeline": f"{self.namespace}/train", "reason": "test"}
        return self.ask("POST", "/api/v1/jobs", body, status=201)["id"]

    def job(self, job):
        return self.ask("GET", f"/api/v1/jobs/{job}")

    def test_a_job_gets_the_commit_that_its_branch_has_now(self):
        _, _, url = self.repository()
        self.apply_pipeline(url)
        job = self.start_job()
        source = self.eventually(
            lambda: self.job(job).get("source", {}).get("commit"), "finding the commit")
        self.assertEqual(source, self.first)

    def test_a_job_whose_repository_is_gone_fails_and_says_so(self):
        self.apply_pipeline(self.git.url("gone"))
        job = self.start_job()
        self.eventually(lambda: self.job(job)["state"] == "failed", "failing")
        reason = self.job(job)["transitions"][-1]["reason"]
        self.assertIn("there is no repository", reason)

    # --- hooks --------------------------------------------------------------------------

    def test_a_push_through_git_s_own_hook_is_one_event(self):
        bare, tree, url = self.repository()
        made = self.mendel_json("hook", "create", self.namespace, "--kind", "generic",
                                "--repository", url)
        shutil.copy(ROOT / "ci" / "hooks" / "post-receive", bare / "hooks" / "post-receive")
        git_http.git("-C", bare, "config", "mendel.url", made["url"])
        git_http.git("-C", bare, "config", "mendel.secret", made["secret"])

        second = tree.commit({"data/a": "2", "data/b \u00fc": "2"})
        tree.git("tag", "-a", "v1", "-m", "one")
        tree.git("push", "--quiet", "origin", "main", "v1", "main:refs/heads/x\"y")
        events = self.eventually(lambda: len(self.events(url)) == 3 and self.events(url),
                                 "the event")
        by_ref = {event["ref"]: event for event in events}
        main = by_ref["refs/heads/main"]
        self.assertEqual((main["before"], main["after"]), (self.first, second))
        self.assertEqual(main["paths"], ["data/a", "data/b \u00fc"])
        self.assertEqual(by_ref["refs/tags/v1"]["after"], second)
        self.assertNotIn("paths", by_ref["refs/tags/v1"])
        self.assertEqual(by_ref["refs/heads/x\"y"]["after"], second)

        tree.git("push", "--quiet", "origin", ":v1")  # deleted
        shown = self.mendel("hook", "show", made["id"])
        self.assertIn("refs/heads/main", shown)
        self.assertNotIn(made["secret"], shown + self.server.log_text())
        self.assertIn(made["id"], self.mendel("hook", "list", self.namespace))
        self.mendel("hook", "delete", made["id"])
        self.run_mendel("hook", "show", made["id"], status=10)

    def test_a_push_is_not_refused_because_mendel_does_not_answer(self):
        bare, tree, _ = self.repository()
        shutil.copy(ROOT / "ci" / "hooks" / "post-receive", bare / "hooks" / "post-receive")
        second = tree.commit({"x": "1"})
        tree.git("push", "--quiet", "origin", "main")
        self.assertEqual(git_http.git("-C", bare, "rev-parse", "main"), second)

    def test_a_signed_delivery_survives_kill_9(self):
        _, _, url = self.repository()
        hook = self.ask("POST", "/api/v1/hooks",
                        {"namespace": self.namespace, "kind": "github", "repository": url},
                        status=201)
        body = json.dumps({"ref": "refs/heads/main", "after": self.first,
                           "repository": {"clone_url": url}}).encode()
        signature = hmac.new(hook["secret"].encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature-256": "sha256=" + signature, "X-GitHub-Event": "push",
                   "X-GitHub-Delivery": "1"}
        for expected in ("event", "duplicate"):
            status, _, answer = self.server.request("POST", hook["url"], body, headers)
            self.assertEqual(status, 202)
            self.assertIn(expected, json.loads(answer))
            self.server.stop(mendel_fixture.signal.SIGKILL)
            self.server.start()
        self.assertEqual(len(self.events(url)), 1)

    def test_a_hook_starts_jobs_of_its_own_namespace_alone(self):
        """Whoever makes a hook knows its secret, and could name any commit."""
        _, _, url = self.repository()
        other = self.namespace + "-other"
        self.mendel("namespace", "create", other)
        hook = self.mendel_json("hook", "create", self.namespace, "--kind", "generic",
                                "--repository", url)
        path = hook["url"].removeprefix(self.server.url)
        self.listen(url)
        self.listen(url, other)
        body = json.dumps({"ref": "refs/heads/main", "after": self.first}).encode()
        status, _, answer = self.server.request("POST", path, body,
                                                {"X-Mendel-Token": hook["secret"]})
        self.assertEqual(status, 202, answer)
        event = json.loads(answer)["event"]
        job = self.eventually(lambda: self.jobs(self.namespace), "the job")[0]
        self.assertEqual(self.job(job["id"])["source"]["commit"], self.first)
        self.eventually(lambda: self.server.psql(
            f"select state from event where id = {event}") == "consumed", "telling everybody")
        self.assertEqual(self.jobs(other), [])

    # --- polling ------------------------------------------------------------------------

    def listen(self, url, namespace=None, **push):
        """A trigger on pushes; how the repository is written in its normal form."""
        namespace = namespace or self.namespace
        self.apply_pipeline(url, namespace=namespace)
        self.ask("PUT", f"/api/v1/triggers/{namespace}/on-push", {
            "pipeline": f"{namespace}/train",
            "when": {"git_push": {"repository": url, "branch": "main"} | push}}, status=201)
        self.addCleanup(self.server.request, "DELETE", f"/api/v1/triggers/{namespace}/on-push")
        return url.removeprefix("http://").removesuffix(".git")

    def jobs(self, namespace):
        return self.ask("GET", f"/api/v1/jobs?namespace={namespace}")["items"]

    def test_a_push_is_seen_where_no_hook_tells_of_it(self):
        _, tree, url = self.repository()
        normal = self.listen(url, paths=["data/*"])
        seen = f"select count(refs) from poll where repository = '{normal}'"
        self.eventually(lambda: self.server.psql(seen) == "1", "the first look")
        self.assertEqual(self.events(url), [])  # what was there before is no push

        second = tree.commit({"data/a": "2"})
        tree.git("tag", "v1")
        tree.git("push", "--quiet", "origin", "main", "v1")
        events = self.eventually(lambda: len(self.events(url)) == 2 and self.events(url),
                                 "the events")
        by_ref = {event["ref"]: event for event in events}
        main = by_ref["refs/heads/main"]
        self.assertEqual((main["before"], main["after"], main["paths"], main["branch"]),
                         (self.first, second, ["data/a"], "main"))
        self.assertEqual(by_ref["refs/tags/v1"]["tag"], "v1")
        job = self.eventually(lambda: self.jobs(self.namespace), "the job")[0]
        self.assertEqual(self.job(job["id"])["source"]["commit"], second)

        tree.commit({"train.py": "2"})
        tree.git("push", "--quiet", "origin", "main")
        self.eventually(lambda: len(self.events(url)) == 3, "the next event")
        self.assertEqual(self.events(url)[-1]["paths"], ["train.py"])
        self.assertEqual(len(self.jobs(self.namespace)), 1)

    def test_a_repository_with_a_hook_is_left_alone(self):
        _, _, url = self.repository()
        normal = self.listen(url)
        count = f"select count(*) from poll where repository = '{normal}'"
        self.eventually(lambda: self.server.psql(count) == "1", "the look")
        self.mendel("hook", "create", self.namespace, "--kind", "generic", "--repository", url)
        self.eventually(lambda: self.server.psql(count) == "0", "leaving it alone")

    def test_a_repository_that_is_gone_is_looked_at_less_and_less(self):
        normal = self.listen(self.git.url("gone"))
        self.eventually(lambda: self.server.psql(
            f"select failures >= 2 and problem like 'there is no repository%' from poll "
            f"where repository = '{normal}'") == "t", "the failures")


class OptionsTest(unittest.TestCase):
    def start(self, directory, *options, **environment):
        return subprocess.run(
            [os.environ["MENDELD"], "--data", directory, "--listen", "127.0.0.1:0", *options],
            env=dict(os.environ) | environment, capture_output=True, text=True, timeout=60)

    def test_rules_and_keys_that_make_no_sense_start_no_server(self):
        with tempfile.TemporaryDirectory(prefix="mendel-test-") as directory:
            for rule in ("10.0.0.0/33", "http://example.org", "*"):
                done = self.start(directory, "--egress-allow", rule)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(f"'{rule}'", done.stderr)
            done = self.start(directory, MENDELD_EGRESS_ALLOW="10.0.0.0/8,nonsense^")
            self.assertIn("'nonsense^'", done.stderr)
            self.assertFalse((pathlib.Path(directory) / "postgres").exists())


if __name__ == "__main__":
    unittest.main()
