"""What `mendel pull`, `cat`, `url` and `verify` do to a directory, seen from outside."""

import json
import os
import pathlib
import random
import subprocess
import unittest
import urllib.request

import mendel_fixture

MIB = 1 << 20


class PullTest(mendel_fixture.ServerTest):
    def push(self, *arguments):
        return self.mendel_json("push", "model", f"{self.namespace}/x", *arguments)

    def pull(self, reference="", *arguments, **options):
        return self.mendel_json("pull", f"{self.namespace}/x{reference}", "--to", "in", *arguments,
                                **options)

    def files_in(self, directory):
        found = {}
        for root, _, names in os.walk(self.path(directory)):
            for name in names:
                path = pathlib.Path(root, name)
                relative = str(path.relative_to(self.path(directory)))
                if not relative.startswith(".mendel/"):
                    found[relative] = path.read_bytes()
        return found

    def test_brings_back_what_was_pushed(self):
        self.write("out/bin/run", "#!/bin/sh\n").chmod(0o755)
        self.write("out/void", "")
        self.write("out/µ/large", random.Random(1).randbytes(9 * MIB))
        self.path("out/empty").mkdir()
        self.path("out/latest").symlink_to("bin/run")
        self.push("out")
        self.pull()
        self.assertEqual(self.files_in("in"), self.files_in("out"))
        self.assertTrue(os.access(self.path("in/bin/run"), os.X_OK))
        self.assertEqual(os.readlink(self.path("in/latest")), "bin/run")
        self.assertTrue(self.path("in/empty").is_dir())
        self.assertEqual(os.listdir(self.path("in/.mendel/partial")), [])

    def test_pulls_into_a_directory_of_the_artifacts_name(self):
        self.write("a", "1")
        self.push("a")
        self.mendel("pull", f"{self.namespace}/x")
        self.assertEqual(self.path("x/a").read_text(), "1")

    def test_fetches_nothing_that_is_there_already(self):
        self.write("out/a", random.Random(2).randbytes(2 * MIB))
        self.push("out")
        self.pull()
        self.assertEqual(self.pull()["fetched_bytes"], 0)

    def test_fetches_of_a_changed_large_file_only_what_differs(self):
        content = random.Random(3).randbytes(16 * MIB)
        self.write("w", content)
        self.push("w")
        self.pull()
        self.write("w", content[:5 * MIB] + b"inserted" + content[5 * MIB:])
        self.push("w")
        pulled = self.pull()
        self.assertEqual(pulled["size_bytes"], 16 * MIB + 8)
        self.assertLess(pulled["fetched_bytes"], MIB)
        self.assertLess(pulled["wire_bytes"], MIB + 20_000)  # the recipe, the manifest, headers
        self.assertEqual(self.path("in/w").read_bytes(), self.path("w").read_bytes())

    def test_removes_what_the_new_version_lacks_unless_it_was_changed(self):
        for name in ("a", "gone", "edited", "dir/gone"):
            self.write(f"out/{name}", name)
        self.push("out")
        self.pull()
        self.write("in/edited", "by me")
        self.write("in/mine", "mine")
        for name in ("gone", "edited", "dir/gone"):
            self.path(f"out/{name}").unlink()
        self.path("out/dir").rmdir()
        self.push("out")
        self.pull()
        self.assertEqual(set(self.files_in("in")), {"a", "edited", "mine"})
        self.assertFalse(self.path("in/dir").exists())

    def test_leaves_alone_and_names_what_is_in_the_way(self):
        self.write("out/a", "1")
        self.push("out")
        self.write("in/a", "mine")
        refused = self.run_mendel("pull", f"{self.namespace}/x", "--to", "in", status=11)
        self.assertIn("  a\n", refused.stderr)
        self.assertEqual(self.path("in/a").read_text(), "mine")
        self.pull("", "--force")
        self.assertEqual(self.path("in/a").read_text(), "1")

    def test_turns_a_file_into_a_directory_and_back(self):
        self.write("out/a", "file")
        self.push("out")
        self.path("out/a").unlink()
        self.write("out/a/b", "below")
        self.push("out")
        self.pull(":1")
        self.pull(":2")
        self.assertEqual(self.files_in("in"), {"a/b": b"below"})
        self.pull(":1")
        self.assertEqual(self.files_in("in"), {"a": b"file"})

    def test_writes_nothing_through_a_link_that_leads_outside(self):
        self.write("out/a/b", "1")
        self.push("out")
        self.path("in").mkdir()
        self.path("elsewhere").mkdir()
        self.path("in/a").symlink_to("../elsewhere")
        self.mendel("pull", f"{self.namespace}/x", "--to", "in", "--force", status=11)
        self.assertEqual(os.listdir(self.path("elsewhere")), [])

    def test_chooses_a_platform(self):
        for platform in ("x86_64-el9", "x86_64_v2-el9"):
            self.write(f"{platform}/lib.so", platform)
        self.write("all/README", "read")
        self.push("all", "--platform", "x86_64-el9=x86_64-el9", "--platform",
                  "x86_64_v2-el9=x86_64_v2-el9")
        stopped = self.run_mendel("pull", f"{self.namespace}/x", "--to", "in", status=1)
        self.assertIn("x86_64-el9, x86_64_v2-el9", stopped.stderr)

        self.pull("", "--platform", "auto", MENDEL_PLATFORM="x86_64_v3-el9")
        self.assertEqual(self.path("in/lib.so").read_text(), "x86_64_v2-el9")
        self.pull("", "--platform", "auto", BINARY_TAG="x86_64-el9")
        self.assertEqual(self.path("in/lib.so").read_text(), "x86_64-el9")
        self.pull("", "--platform", "auto", MENDEL_PLATFORM="aarch64-el9")
        self.assertEqual(set(self.files_in("in")), {"README"})
        self.pull("", "--platform", "all")
        self.assertEqual(set(self.files_in("in")),
                         {"README", "x86_64-el9/lib.so", "x86_64_v2-el9/lib.so"})
        self.mendel("pull", f"{self.namespace}/x", "--platform", "riscv", status=10)

    def test_pulls_one_file_and_leaves_the_others(self):
        self.write("out/a", "1")
        self.write("out/b", "2")
        self.push("out")
        self.pull("", "--file", "a")
        self.assertEqual(set(self.files_in("in")), {"a"})
        self.pull("", "--file", "b")
        self.assertEqual(set(self.files_in("in")), {"a", "b"})
        self.mendel("verify", "in")
        self.mendel("pull", f"{self.namespace}/x", "--to", "in", "--file", "c", status=10)

    def test_leaves_no_half_file_when_it_is_interrupted(self):
        self.write("out/w", random.Random(4).randbytes(100 * MIB))
        self.push("out")
        for signal in (2, 9):
            process = subprocess.Popen(
                [os.environ["MENDEL"], "pull", f"{self.namespace}/x", "--to", f"in{signal}"],
                cwd=self.directory, env=self.environment(), stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
            partial = self.path(f"in{signal}/.mendel/partial")
            while process.poll() is None and not (partial.exists() and os.listdir(partial)):
                pass
            process.send_signal(signal)
            self.assertIn(process.wait(timeout=60), (0, 130, -9))
            if signal == 2:
                self.assertEqual(os.listdir(partial), [])
            if process.returncode != 0:
                self.assertEqual(self.files_in(f"in{signal}"), {})
            self.mendel("pull", f"{self.namespace}/x", "--to", f"in{signal}")
            self.assertEqual(self.files_in(f"in{signal}"), self.files_in("out"))
            self.assertEqual(os.listdir(partial), [])

    def test_verify_says_what_was_changed_since(self):
        for name in ("a", "b", "c"):
            self.write(f"out/{name}", name)
        self.push("out")
        self.pull()
        self.mendel("verify", "in")
        self.write("in/a", "A")
        self.path("in/b").unlink()
        self.write("in/d", "extra")
        found = self.run_mendel("verify", "in", "--json", status=14)
        self.assertEqual({key: json.loads(found.stdout)[key] for key in
                          ("changed", "missing", "extra")},
                         {"changed": ["a"], "missing": ["b"], "extra": ["d"]})

    def test_verify_reads_a_whole_version(self):
        self.write("out/a", "1")
        self.write("out/w", random.Random(5).randbytes(6 * MIB))
        self.push("out")
        self.assertEqual(self.mendel_json("verify", f"{self.namespace}/x")["file_count"], 2)

    def test_cat_writes_the_bytes(self):
        self.write("out/a", "content\n")
        self.push("out")
        self.assertEqual(self.mendel("cat", f"{self.namespace}/x", "a"), "content\n")
        self.mendel("cat", f"{self.namespace}/x", "missing", status=10)

    def test_url_is_one_that_plain_http_understands(self):
        self.write("out/µ b/lib.so", "content")
        self.push("--platform", "p+q=out")
        url = self.mendel("url", f"{self.namespace}/x@latest", "µ b/lib.so").strip()
        self.assertIn("/versions/1/files/", url)
        request = urllib.request.Request(url, headers={
            "Authorization": "Bearer " + self.server.token})
        with urllib.request.urlopen(request) as answer:
            self.assertEqual(answer.read(), b"content")

    def test_warns_of_a_yanked_version(self):
        self.write("a", "1")
        self.push("a")
        self.mendel("yank", f"{self.namespace}/x:1", "--reason", "wrong")
        pulled = self.run_mendel("pull", f"{self.namespace}/x:1", "--to", "in")
        self.assertIn("yanked", pulled.stderr)
        self.mendel("pull", f"{self.namespace}/x", status=10)
        self.mendel("restore", f"{self.namespace}/x:1")
        self.pull()


if __name__ == "__main__":
    unittest.main()
