#include "cli/environment_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "cli/child_output.h"
#include "cli/host_facts.h"
#include "cli/package_facts.h"
#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

// Sets a variable of the environment for one test.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    const char* const before = std::getenv(name);
    if (before != nullptr) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

TEST(ChildOutput, IsWhatAProgramPrints) {
  EXPECT_EQ(find_output({"sh", "-c", "echo one; echo two >&2; cat"}, seconds(30), 100),
            "one\n");
}

TEST(ChildOutput, IsNothingForWhatFailsHangsOrPrintsTooMuch) {
  EXPECT_FALSE(find_output({"/no/such/program"}, seconds(30), 100));
  EXPECT_FALSE(find_output({"sh", "-c", "echo; exit 3"}, seconds(30), 100));
  EXPECT_FALSE(find_output({"sh", "-c", "kill -9 $$"}, seconds(30), 100));
  EXPECT_FALSE(find_output({"sh", "-c", "sleep 1000 & sleep 1000"},
                           std::chrono::milliseconds(50), 100));
  EXPECT_FALSE(find_output({"sh", "-c", "while :; do echo more; done"}, seconds(30), 100));
}

TEST(HostFacts, ReadOsRelease) {
  EXPECT_EQ(
      parse_os_release("# comment\nID=debian\nPRETTY_NAME=\"Debian 12\"\n\nX='y z'\nbad"),
      Json({{"ID", "debian"}, {"PRETTY_NAME", "Debian 12"}, {"X", "y z"}}));
}

TEST(HostFacts, ReadWhatNvidiaSmiPrints) {
  EXPECT_EQ(
      parse_nvidia_smi("NVIDIA A100-SXM4-40GB, 535.104.05\n"
                       "NVIDIA A100-SXM4-40GB, 535.104.05\n"),
      Json::parse(R"({"driver":"535.104.05","devices":{"NVIDIA A100-SXM4-40GB":2}})"));
  EXPECT_TRUE(parse_nvidia_smi("No devices were found\n").is_null());
}

TEST(HostFacts, ReadLoadedModules) {
  EXPECT_EQ(parse_modules("gcc/12.3:cuda/11.8:"), Json({"gcc/12.3", "cuda/11.8"}));
  EXPECT_TRUE(parse_modules("").empty());
}

TEST(HostFacts, AreThoseOfThisMachine) {
  const Variable modules("LOADEDMODULES", "cuda/11.8");
  const Variable container("APPTAINER_CONTAINER", "/images/train.sif");
  const Json facts = find_host_facts();
  EXPECT_EQ(facts["platform"]["system"], "Linux");
  EXPECT_TRUE(facts["platform"].contains("machine"));
  EXPECT_EQ(facts["modules"], Json({"cuda/11.8"}));
  EXPECT_EQ(facts["container"]["image"], "/images/train.sif");
}

TEST(PackageFacts, AreWhatPythonAnswers) {
  const PythonFacts facts = parse_python_answer(
      R"({"implementation":"CPython","version":"3.11.2","executable":"/usr/bin/python3",
          "packages":["numpy==1.24.2","own @ git+https://example.org/own@abc"]})");
  EXPECT_EQ(facts.interpreter, Json({{"implementation", "CPython"},
                                     {"version", "3.11.2"},
                                     {"executable", "/usr/bin/python3"}}));
  EXPECT_EQ(facts.requirements, "numpy==1.24.2\nown @ git+https://example.org/own@abc\n");
  for (const char* nonsense : {"", "3.11", "{}", "[]", R"({"version":1})"}) {
    EXPECT_TRUE(parse_python_answer(nonsense).interpreter.is_null()) << nonsense;
  }
}

// Stands for a virtual environment with two packages.
class VirtualEnvironment : public ::testing::Test {
 protected:
  void add_package(const std::string& name, const std::string& origin) {
    const std::string place = directory_ / ("site/" + name + "-1.0.dist-info");
    write_file(place + "/METADATA",
               "Metadata-Version: 2.1\nName: " + name + "\nVersion: 1.0\n");
    if (!origin.empty()) write_file(place + "/direct_url.json", origin);
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(VirtualEnvironment, IsAskedForItsPackages) {
  if (!find_output({"python3", "-c", "import importlib.metadata"}, seconds(30), 100)) {
    GTEST_SKIP() << "there is no python3";
  }
  add_package("alpha", "");
  add_package("beta", R"({"url":"https://me:secret@example.org/beta.git",
                          "vcs_info":{"vcs":"git","commit_id":"abc123"}})");
  add_package("gamma", R"({"url":"file:///somewhere","dir_info":{"editable":true}})");
  const Variable path("PYTHONPATH", directory_ / "site");
  write_file(directory_ / "json.py", "raise SystemExit(1)\n");
  const std::string before = std::filesystem::current_path();
  std::filesystem::current_path(directory_.path());
  const PythonFacts facts = find_python_facts();
  std::filesystem::current_path(before);
  EXPECT_THAT(facts.requirements, HasSubstr("alpha==1.0\n"));
  EXPECT_THAT(facts.requirements,
              HasSubstr("beta @ git+https://example.org/beta.git@abc123\n"));
  EXPECT_THAT(facts.requirements, HasSubstr("gamma==1.0\n"));
}

TEST_F(VirtualEnvironment, ThatIsBrokenHarmsNothing) {
  write_file(directory_ / "bin/python", "#!/bin/sh\nexit 1\n");
  std::filesystem::permissions(directory_ / "bin/python",
                               std::filesystem::perms::owner_all);
  const Variable environment("VIRTUAL_ENV", directory_.path());
  EXPECT_TRUE(find_python_facts().interpreter.is_null());
  const EnvironmentFiles files = record_environment();
  EXPECT_FALSE(files.contains("requirements.txt"));
  EXPECT_THAT(files.at("environment.json"), HasSubstr("\"platform\""));
}

TEST_F(VirtualEnvironment, OfCondaListsItsPackages) {
  write_file(directory_ / "conda-meta/b.json",
             R"({"url":"https://conda.example.org/linux-64/b-1-0.conda","md5":"abc"})");
  write_file(directory_ / "conda-meta/a.json",
             R"({"url":"https://conda.example.org/linux-64/a-1-0.conda"})");
  write_file(directory_ / "conda-meta/private.json",
             R"({"url":"https://me:token@conda.example.org/p-1-0.conda"})");
  write_file(directory_ / "conda-meta/broken.json", "{");
  write_file(directory_ / "conda-meta/history", "==> 2024 <==\n");
  EXPECT_EQ(find_conda_packages(directory_.path()),
            "@EXPLICIT\nhttps://conda.example.org/linux-64/a-1-0.conda\n"
            "https://conda.example.org/linux-64/b-1-0.conda#abc\n");
  EXPECT_EQ(find_conda_packages(directory_ / "absent"), "");
}

TEST(EnvironmentRecord, IsTheSameEachTime) {
  EXPECT_EQ(record_environment(), record_environment());
}

}  // namespace
}  // namespace mendel::cli
