"""That ci/check_layers finds each kind of violation, and nothing where there is none."""

import pathlib
import subprocess
import tempfile
import unittest

CHECK = pathlib.Path(__file__).resolve().parents[2] / "ci" / "check_layers"


class CheckLayers(unittest.TestCase):
    def check(self, files):
        """The exit code and the lines that it printed for a tree of these files."""
        with tempfile.TemporaryDirectory() as root:
            for name, text in files.items():
                path = pathlib.Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text + "\n")
            done = subprocess.run([CHECK, root], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()

    def assert_allowed(self, path, line):
        self.assertEqual(self.check({path: line}),
                         (0, ["check_layers: 1 files, 0 violations"]))

    def assert_refused(self, path, line):
        code, lines = self.check({path: line})
        self.assertEqual(code, 1)
        self.assertTrue(lines[0].startswith(f"{path}:1: "), lines)

    def test_follows_the_arrows(self):
        for path, line in (
                ("registry/http/server.cc", '#include "registry/api/application.h"'),
                ("registry/api/versions.cc", '#include "registry/services/versions.h"'),
                ("registry/services/versions.cc", '#include "schema/versions.h"'),
                ("registry/services/versions.cc", '#include "storage/manifest.h"'),
                ("schema/versions.cc", '#include "storage/base/error.h"'),
                ("storage/pack.cc", '#include "storage/base/digest.h"'),
                ("cli/push.cc", '#include "storage/chunker.h"'),
                ("registry/mendeld.cc", '#include "schema/database.h"'),
                ("tests/storage/pack_test.cc", '#include "tests/testing/random_bytes.h"')):
            with self.subTest(path=path, line=line):
                self.assert_allowed(path, line)

    def test_refuses_an_include_against_the_arrows(self):
        for path, line in (
                ("registry/http/server.cc", '#include "registry/services/versions.h"'),
                ("registry/api/versions.cc", '#include "registry/http/server.h"'),
                ("registry/api/versions.cc", '#include "schema/versions.h"'),
                ("registry/services/versions.cc", '#include "registry/api/json.h"'),
                ("schema/versions.cc", '#include "storage/manifest.h"'),
                ("storage/pack.cc", '#include "schema/versions.h"'),
                ("storage/base/error.cc", '#include "storage/pack.h"'),
                ("cli/push.cc", '#include "registry/services/versions.h"'),
                ("cli/push.cc", '  #  include "schema/versions.h"'),
                ("storage/pack.cc", '#include "tests/testing/random_bytes.h"'),
                ("cli/push.cc", '#include "bench/corpus.h"')):
            with self.subTest(path=path, line=line):
                self.assert_refused(path, line)

    def test_keeps_each_foreign_library_in_its_place(self):
        self.assert_allowed("registry/http/server.cc", "#include <boost/asio/post.hpp>")
        self.assert_refused("registry/api/router.cc", "#include <boost/beast/http.hpp>")
        self.assert_allowed("schema/versions.cc", "#include <pqxx/pqxx>")
        self.assert_refused("registry/services/versions.cc", "#include <pqxx/pqxx>")
        self.assert_allowed("storage/base/http_client.cc", "#include <curl/curl.h>")
        self.assert_refused("cli/push.cc", "#include <curl/curl.h>")
        self.assert_refused("storage/pack.cc", "#include <gtest/gtest.h>")

    def test_refuses_a_schema_header_that_shows_libpqxx_to_others(self):
        user = "registry/services/versions.cc"
        self.assertEqual(self.check({"schema/transaction.h": "#include <pqxx/pqxx>",
                                     user: '#include "schema/transaction.h"'})[0], 0)
        self.assertEqual(self.check({"schema/rows.h": "#include <pqxx/pqxx>",
                                     "schema/rows.cc": '#include "schema/rows.h"'})[0], 0)
        code, lines = self.check({"schema/rows.h": "#include <pqxx/pqxx>",
                                  user: '#include "schema/rows.h"'})
        self.assertEqual(code, 1)
        self.assertEqual(lines[0], f"{user}:1: schema/rows.h shows libpqxx to registry/services/")

    def test_refuses_sql_outside_schema(self):
        self.assert_allowed("schema/versions.cc", 'exec("select id from version");')
        self.assert_refused("registry/services/versions.cc", 'exec("select id from version");')
        self.assert_refused("registry/api/versions.cc", 'exec(R"(x)" "INSERT INTO t values");')
        self.assert_refused("registry/api/versions.cc", "  select id, name from version v")
        self.assert_allowed("cli/pull.cc", 'print("select one of its platforms");')

    def test_refuses_a_tree_without_sources(self):
        self.assertEqual(self.check({})[0], 1)


if __name__ == "__main__":
    unittest.main()
