"""Everything that `mendel` does besides moving bytes, seen from outside."""

import json
import os
import stat
import subprocess
import unittest

import mendel_fixture


class NamesTest(mendel_fixture.ServerTest):
    def push(self, content):
        self.write("a", content)
        self.mendel("push", "model", f"{self.namespace}/x", "a", "-m", f"has {content}")

    def test_login_remembers_the_server_for_its_owner_alone(self):
        self.write("token", self.server.token)
        without = {"MENDEL_URL": "", "MENDEL_TOKEN": ""}
        self.mendel("whoami", status=1, **without)
        self.mendel("login", self.server.url, "--token-file", "token", **without)
        self.assertIn("admin", self.mendel("whoami", **without))
        saved = self.path("config/mendel/config.json")
        self.assertEqual(stat.S_IMODE(os.stat(saved).st_mode), 0o600)

    def test_login_refuses_a_token_that_the_server_does_not_know(self):
        self.write("token", "mdl_wrong")
        self.mendel("login", self.server.url, "--token-file", "token", status=12)
        self.assertFalse(self.path("config/mendel/config.json").exists())

    def test_sends_no_token_in_clear(self):
        refused = self.run_mendel("whoami", "--url", "http://mendel.invalid", status=12)
        self.assertIn("--plain-http", refused.stderr)

    def test_says_that_the_server_is_away(self):
        self.mendel("whoami", "--url", "http://127.0.0.1:1", status=13)

    def test_aliases_move_and_remember(self):
        self.push("1")
        self.push("2")
        self.mendel("alias", "set", f"{self.namespace}/x@production", f"{self.namespace}/x:1")
        self.mendel("alias", "set", f"{self.namespace}/x@production", "2", "--reason", "better")
        self.assertEqual(self.mendel_json("show", f"{self.namespace}/x@production")["version"], 2)
        moves = self.mendel_json("alias", "log", f"{self.namespace}/x@production")["items"]
        self.assertEqual([move["version"] for move in moves], [2, 1])
        self.assertEqual(moves[0]["reason"], "better")
        listed = self.mendel_json("alias", "list", f"{self.namespace}/x")["items"]
        self.assertEqual([alias["alias"] for alias in listed], ["production"])
        self.mendel("alias", "remove", f"{self.namespace}/x@production")
        self.mendel("show", f"{self.namespace}/x@production", status=10)

    def test_a_yank_is_refused_while_an_alias_points_there(self):
        self.push("1")
        self.mendel("alias", "set", f"{self.namespace}/x@production", "1")
        self.mendel("yank", f"{self.namespace}/x:1", "--reason", "wrong", status=11)
        self.mendel("yank", f"{self.namespace}/x:1", "--reason", "wrong", "--force")
        self.assertEqual(self.mendel_json("show", f"{self.namespace}/x:1")["state"], "yanked")

    def test_lists_and_logs(self):
        self.push("1")
        self.push("2")
        self.assertIn(f"{self.namespace}/x", self.mendel("list"))
        listed = self.mendel_json("list", "--kind", "model", "--namespace", self.namespace)
        self.assertEqual([item["newest"] for item in listed["items"]], [2])
        self.assertEqual(self.mendel_json("list", "--kind", "dataset", "--namespace",
                                          self.namespace)["items"], [])
        log = self.mendel_json("log", f"{self.namespace}/x")["items"]
        self.assertEqual([version["message"] for version in log], ["has 2", "has 1"])
        self.assertIn("has 2", self.mendel("log", f"{self.namespace}/x"))

    def test_diff_names_what_differs(self):
        self.write("out/a", "1")
        self.write("out/b", "1")
        self.mendel("push", "model", f"{self.namespace}/y", "out")
        self.write("out/b", "22")
        self.path("out/a").unlink()
        self.write("out/c", "1")
        self.mendel("push", "model", f"{self.namespace}/y", "out")
        found = self.mendel_json("diff", f"{self.namespace}/y:1", f"{self.namespace}/y:2")
        self.assertEqual([(item["change"], item["path"]) for item in found["items"]],
                         [("removed", "a"), ("changed", "b"), ("added", "c")])
        self.assertIn("changed", self.mendel("diff", f"{self.namespace}/y:1",
                                             f"{self.namespace}/y:2"))

    def test_tokens_and_roles(self):
        principal = f"ci-{self.namespace}"
        self.mendel("principal", "create", principal, "--kind", "service")
        made = self.mendel_json("token", "create", "--principal", principal, "--name", "ci",
                                "--scope", "read", "--scope", "write", "--namespace",
                                self.namespace, "--expires-in-days", "3")
        as_service = {"MENDEL_TOKEN": made["secret"]}
        self.push("1")
        self.mendel("show", f"{self.namespace}/x", status=10, **as_service)
        self.mendel("namespace", "grant", self.namespace, principal, "reader")
        self.mendel("show", f"{self.namespace}/x", **as_service)
        self.mendel("push", "model", f"{self.namespace}/x", "a", "--alias", "z", status=12,
                    **as_service)
        members = self.mendel_json("namespace", "members", self.namespace)["items"]
        self.assertIn({"principal": principal, "role": "reader"},
                      [{key: item[key] for key in ("principal", "role")} for item in members])
        self.mendel("namespace", "revoke", self.namespace, principal)
        self.mendel("show", f"{self.namespace}/x", status=10, **as_service)
        self.assertIn(made["id"], self.mendel("token", "list", **as_service))
        self.mendel("token", "revoke", made["id"])
        self.mendel("whoami", status=12, **as_service)

    def test_problems_are_json_when_asked_for(self):
        failed = self.run_mendel("show", f"{self.namespace}/missing", "--json", status=10)
        self.assertEqual(failed.stdout, "")
        self.assertEqual(json.loads(failed.stderr)["type"], "/problems/not-found")

    def test_wrong_usage_is_2(self):
        self.mendel("show", status=2)
        self.mendel("push", "modell", "a/b", "c", status=2)
        self.mendel("nonsense", status=2)
        self.assertIn("Exit status", self.mendel("--help"))

    def test_deletes_what_nothing_needs(self):
        self.push("1")
        self.push("2")
        self.mendel("delete", f"{self.namespace}/x:1", "--reason", "by mistake")
        self.mendel("show", f"{self.namespace}/x:1", status=10)

    def test_completes_in_bash(self):
        script = ('source <("$MENDEL" completion bash); COMP_WORDS=(mendel alias s); COMP_CWORD=2;'
                  ' _mendel; echo "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "set\n")


if __name__ == "__main__":
    unittest.main()
