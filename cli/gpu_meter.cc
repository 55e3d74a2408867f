#include "cli/gpu_meter.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <vector>

namespace mendel::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLineSizeMax = 4096;

std::vector<std::string_view> fields_of(std::string_view line, char separator) {
  std::vector<std::string_view> fields;
  while (true) {
    const auto comma = line.find(separator);
    std::string_view field = line.substr(0, comma);
    field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
    fields.push_back(field.substr(0, field.find_last_not_of(" \r") + 1));
    if (comma == line.npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

std::optional<double> find_number(std::string_view text) {
  double number = 0;
  const auto [end, status] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = status == std::errc() && end == text.data() + text.size();
  return whole && number >= 0 ? std::optional(number) : std::nullopt;
}

// CUDA_VISIBLE_DEVICES names GPUs by number, or by a beginning of their UUID.
bool is_visible(const std::optional<std::string>& visible, std::string_view index,
                std::string_view uuid) {
  if (!visible) return true;
  for (const auto name : fields_of(*visible, ',')) {
    if (name == index || (name.starts_with("GPU-") && uuid.starts_with(name))) return true;
  }
  return false;
}

std::optional<std::string> visible_devices() {
  const char* value = std::getenv("CUDA_VISIBLE_DEVICES");
  return value ? std::optional<std::string>(value) : std::nullopt;
}

}  // namespace

void GpuUse::add_sample(std::string_view line, double seconds_since_begin,
                        const std::optional<std::string>& visible) {
  const auto fields = fields_of(line, ',');
  if (fields.size() != 4 || !is_visible(visible, fields[0], fields[1])) return;
  const auto busy_percent = find_number(fields[2]);
  if (!busy_percent || *busy_percent > 100) return;

  Gpu& gpu = gpus_[std::string(fields[1])];
  const double elapsed = seconds_since_begin - gpu.last_sample_seconds;
  gpu.last_sample_seconds = seconds_since_begin;
  gpu.busy_seconds += *busy_percent / 100 * elapsed;
  if (const auto watts = find_number(fields[3])) {
    gpu.energy_joules = gpu.energy_joules.value_or(0) + *watts * elapsed;
  }
}

std::optional<double> GpuUse::gpu_seconds() const {
  if (gpus_.empty()) return std::nullopt;
  double sum = 0;
  for (const auto& [uuid, gpu] : gpus_) sum += gpu.busy_seconds;
  return sum;
}

std::optional<double> GpuUse::energy_joules() const {
  std::optional<double> sum;
  for (const auto& [uuid, gpu] : gpus_) {
    if (gpu.energy_joules) sum = sum.value_or(0) + *gpu.energy_joules;
  }
  return sum;
}

GpuMeter::GpuMeter() : begin_(Clock::now()) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;  // then there is nothing to be seen
  output_ = Fd(ends[0]);
  const Fd writer(ends[1]);
  const Fd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const ::pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    sigset_t none;
    sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
    ::setpgid(0, 0);  // Ctrl-C is not for it
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    ::dup2(nothing.get(), STDIN_FILENO);
    ::dup2(nothing.get(), STDERR_FILENO);
    ::dup2(writer.get(), STDOUT_FILENO);
    ::execlp("nvidia-smi", "nvidia-smi",
             "--query-gpu=index,uuid,utilization.gpu,power.draw",
             "--format=csv,noheader,nounits", "--loop=5", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  if (pid_ > 0) reader_ = std::jthread([this] { read_samples(); });
}

GpuMeter::~GpuMeter() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  reader_.join();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

GpuUse GpuMeter::use() const {
  const std::lock_guard lock(mutex_);
  return use_;
}

void GpuMeter::read_samples() {
  const auto visible = visible_devices();
  std::string lines;
  std::array<char, 1024> buffer;
  for (;;) {
    const ::ssize_t count = ::read(output_.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    lines.append(buffer.data(), std::size_t(count));
    for (auto end = lines.find('\n'); end != lines.npos; end = lines.find('\n')) {
      const std::chrono::duration<double> elapsed = Clock::now() - begin_;
      const std::lock_guard lock(mutex_);
      use_.add_sample(std::string_view(lines).substr(0, end), elapsed.count(), visible);
      lines.erase(0, end + 1);
    }
    if (lines.size() > kLineSizeMax) lines.clear();
  }
}

}  // namespace mendel::cli
