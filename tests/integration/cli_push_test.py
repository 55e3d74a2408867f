"""What `mendel push` makes of files, seen from outside."""

import json
import os
import random
import socket
import subprocess
import threading
import unittest

import mendel_fixture

MIB = 1 << 20


class PushTest(mendel_fixture.ServerTest):
    def push(self, *arguments, **options):
        return self.mendel_json("push", "model", f"{self.namespace}/x", *arguments, **options)

    def manifest(self, version):
        return self.mendel_json("files", f"{self.namespace}/x:{version}")["files"]

    def test_takes_paths_after_options_that_may_be_repeated(self):
        self.write("out/libtrk.so", "machine code")
        pushed = self.mendel_json("push", "--alias", "staging", "--label", "year=2016", "model",
                                  self.namespace + "/trk", "--metric", "chi2=1", "out")
        self.assertEqual(pushed["aliases"], ["staging"])
        self.assertEqual(pushed["file_count"], 1)

    def test_prints_the_reference_and_the_digest(self):
        self.write("a", "1")
        printed = self.mendel("push", "model", f"{self.namespace}/x", "a")
        self.assertRegex(printed, rf"^{self.namespace}/x:1  sha256:[0-9a-f]{{64}}\n$")

    def test_keeps_links_empty_directories_empty_files_and_executable_bits(self):
        self.write("out/bin/run", "#!/bin/sh\n").chmod(0o755)
        self.write("out/void", "")
        self.write("out/µ", "unicode")
        self.path("out/empty").mkdir()
        self.path("out/latest").symlink_to("bin/run")
        self.push("out")
        files = {file["path"]: file for file in self.manifest(1)}
        self.assertEqual(set(files), {"bin/run", "void", "µ", "empty", "latest"})
        self.assertTrue(files["bin/run"]["executable"])
        self.assertEqual(files["void"]["size"], 0)
        self.assertTrue(files["empty"]["directory"])
        self.assertEqual(files["latest"]["link"], "bin/run")

    def test_makes_no_version_when_nothing_changed(self):
        self.write("out/a", "1")
        self.push("out")
        again = self.run_mendel("push", "model", f"{self.namespace}/x", "out")
        self.assertIn(f"{self.namespace}/x:1", again.stdout)
        self.assertIn("nothing changed", again.stderr)

    def test_sends_of_a_changed_large_file_only_what_changed(self):
        content = random.Random(1).randbytes(16 * MIB)
        self.write("w", content)
        self.assertEqual(self.push("w")["new_bytes"], 16 * MIB)
        self.write("w", content[:5 * MIB] + b"inserted" + content[5 * MIB:])
        self.assertLess(self.push("w")["sent_bytes"], MIB)

    def test_sends_nothing_of_an_unchanged_large_file(self):
        self.write("out/w", random.Random(2).randbytes(4 * MIB))
        self.push("out")
        self.write("out/b", "new")
        self.assertLess(self.push("out")["sent_bytes"], 4096)

    def test_sends_equal_files_once(self):
        content = random.Random(3).randbytes(3 * MIB)
        for name in ("a", "b"):
            self.write(f"out/{name}", content)
            self.write(f"out/small-{name}", "the same")
        self.assertEqual(self.push("out")["new_bytes"], 3 * MIB + len("the same"))

    def test_says_what_it_would_do_and_makes_nothing(self):
        self.write("out/a", "123")
        said = self.push("out", "--dry-run")
        self.assertEqual((said["file_count"], said["new_bytes"]), (1, 3))
        self.mendel("show", f"{self.namespace}/x", status=10)

    def test_pushes_a_file_per_platform(self):
        self.write("opt/lib.so", "fast")
        self.write("dbg/lib.so", "slow")
        self.push("--platform", "x86_64_v2-el9=opt/lib.so", "--platform", "x86_64-el9=dbg")
        self.assertEqual([(file["path"], file["platform"]) for file in self.manifest(1)],
                         [("lib.so", "x86_64-el9"), ("lib.so", "x86_64_v2-el9")])

    def test_records_what_it_is_told(self):
        self.write("a", "1")
        self.push("a", "-m", "why", "--label", "year=2016", "--metric", "chi2=2.5", "--metric",
                  "bad=nan", "--alias", "staging")
        version = self.mendel_json("show", f"{self.namespace}/x@staging")
        self.assertEqual(version["message"], "why")
        self.assertEqual(version["labels"], {"year": "2016"})
        self.assertEqual(version["metrics"], {"chi2": 2.5, "bad": "NaN"})

    def test_repeated_with_a_key_makes_one_version(self):
        self.write("a", "1")
        first = self.push("a", "--idempotency-key", "k1")
        again = self.push("a", "--idempotency-key", "k1")
        self.assertEqual(first["version"], again["version"])

    def test_refuses_by_name_what_a_version_cannot_hold(self):
        self.write("out/a", "1")
        self.path("out/outside").symlink_to("../../secret")
        self.path("out/absolute").symlink_to("/etc/passwd")
        os.mkfifo(self.path("out/pipe"))
        refused = self.run_mendel("push", "model", f"{self.namespace}/x", "out", status=1)
        for name in ("outside", "absolute", "pipe"):
            self.assertIn(name, refused.stderr)
        self.mendel("show", f"{self.namespace}/x", status=10)

    def test_leaves_the_state_of_pulls_out(self):
        self.write("out/a", "1")
        self.write("out/.mendel/pull.json", "{}")
        self.push("out")
        self.assertEqual([file["path"] for file in self.manifest(1)], ["a"])

    def test_says_when_the_name_is_of_another_kind(self):
        self.write("a", "1")
        self.push("a")
        refused = self.run_mendel("push", "dataset", f"{self.namespace}/x", "a", status=11)
        self.assertIn("model", refused.stderr)

    def test_pushes_many_small_files_with_few_requests(self):
        for i in range(3000):
            self.write(f"out/{i % 50}/{i}", f"content {i}")
        before = self.server.log_text().count("request=")
        self.push("out")
        self.assertLess(self.server.log_text().count("request=") - before, 15)
        self.assertEqual(len(self.manifest(1)), 3000)

    def test_goes_on_where_a_broken_connection_left_it(self):
        self.write("w", random.Random(4).randbytes(160 * MIB))
        with BreakingProxy(self.server.url, break_after_bytes=100 * MIB) as proxy:
            pushed = self.run_mendel("push", "model", f"{self.namespace}/x", "w", "--json",
                                     MENDEL_URL=proxy.url)
        self.assertIn("going on", pushed.stderr)
        self.assertLess(json.loads(pushed.stdout)["new_bytes"], 120 * MIB)
        self.mendel("verify", f"{self.namespace}/x:1")


class BreakingProxy:
    """Passes connections on, and breaks the first one that has sent so many bytes."""

    def __init__(self, url, break_after_bytes):
        self.target = ("127.0.0.1", int(url.rsplit(":", 1)[1]))
        self.left = break_after_bytes
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client, socket.create_connection(self.target) as server:
            back = threading.Thread(target=self.pass_on, args=(server, client, False))
            back.start()
            self.pass_on(client, server, True)
            back.join()

    def pass_on(self, source, sink, counts):
        try:
            while data := source.recv(1 << 16):
                if counts and self.left > 0:
                    self.left -= len(data)
                    if self.left <= 0:
                        break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class InterruptedPushTest(mendel_fixture.ServerTest):
    def test_is_repeated_without_sending_again_what_arrived(self):
        self.write("w", random.Random(5).randbytes(200 * MIB))
        process = subprocess.Popen([os.environ["MENDEL"], "push", "model", f"{self.namespace}/x",
                                    "w"], cwd=self.directory, env=self.environment(),
                                   stderr=subprocess.DEVNULL)
        while process.poll() is None and "/chunks status=200" not in self.server.log_text():
            pass
        process.send_signal(2)
        self.assertIn(process.wait(timeout=60), (0, 130))
        self.mendel("push", "model", f"{self.namespace}/x", "w")
        self.mendel("verify", f"{self.namespace}/x:1")


if __name__ == "__main__":
    unittest.main()
