#include "runtime/pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#if !defined(_WIN32)
#include <pthread.h>
#endif
#if defined(__linux__)
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>
#endif

namespace inksight {

namespace {

constexpr auto SPIN_TIME = std::chrono::microseconds(60);  // longer than the pauses between loops of a training step

std::atomic<int> chosen_threads{0};

inline void cpu_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

#if defined(__linux__)
// Return the container's CPU quota in cores, rounded up, or 0 if there is none. Allocates no memory.
int quota_in_cores() {
  char text[64] = {};  // "QUOTA PERIOD" in microseconds; a QUOTA of "max" sets no limit
  const int file = open("/sys/fs/cgroup/cpu.max", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const bool has_text = read(file, text, sizeof text - 1) > 0;
  close(file);
  char* rest = text;
  const long quota = has_text ? std::strtol(text, &rest, 10) : 0, period = std::strtol(rest, nullptr, 10);
  return quota > 0 && period > 0 ? int((quota + period - 1) / period) : 0;
}
#endif

// The pool as it is: its threads, and what they share.
class Workers : public Pool {
 public:
  int threads();
  void run_loop(const Loop& loop);

 private:
  void run_tasks(const Loop& loop);
  void start_workers(int count);
  void work_on_loops(int index, unsigned seen);

  std::mutex busy_, mutex_;
  std::condition_variable wake_;
  int workers_ = 0;  // threads started
  int helpers_ = 0;  // of them, those that work on the current loop
  Loop loop_{};
  std::exception_ptr error_;
  std::atomic<int> cores_{0}, next_{0}, active_{0};
  std::atomic<unsigned> round_{0};
};

}  // namespace

int usable_cores() {
  int cores = std::max(1, int(std::thread::hardware_concurrency()));
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) cores = CPU_COUNT(&set);
  if (const int quota = quota_in_cores()) cores = std::min(cores, quota);
#endif
  return cores;
}

void choose_threads(int threads) { chosen_threads = threads; }

int Workers::threads() {
  if (const int chosen = chosen_threads) return chosen;
  if (!cores_) cores_ = usable_cores();
  return cores_;
}

void Workers::run_loop(const Loop& loop) {
  const int helpers = std::min(threads(), loop.tasks) - 1;
  std::unique_lock<std::mutex> busy(busy_, std::defer_lock);
  if (helpers < 1 || !busy.try_lock()) {
    for (int task = 0; task < loop.tasks; ++task) loop.call(loop.work, task);
    return;
  }
  start_workers(helpers);
  {
    std::lock_guard<std::mutex> guard(mutex_);
    loop_ = loop;
    next_ = 0;
    active_ = helpers_ = std::min(helpers, workers_);
    ++round_;
  }
  wake_.notify_all();
  run_tasks(loop);
  // The work is the caller's: wait until every helper is done with it.
  for (int spins = 0; active_.load() > 0;)
    if (++spins < 4096)
      cpu_pause();
    else
      std::this_thread::yield();
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void Workers::run_tasks(const Loop& loop) {
  try {
    for (int task = next_++; task < loop.tasks; task = next_++) loop.call(loop.work, task);
  } catch (...) {
    std::lock_guard<std::mutex> guard(mutex_);
    error_ = std::current_exception();
    next_ = loop.tasks;
  }
}

void Workers::start_workers(int count) {
  try {
    for (; workers_ < count; ++workers_)
      std::thread([this, index = workers_, seen = round_.load()] { work_on_loops(index, seen); }).detach();
  } catch (const std::exception&) {  // no memory or no threads left: the next loop tries again
  }
}

void Workers::work_on_loops(int index, unsigned seen) {
  for (;;) {
    const auto deadline = std::chrono::steady_clock::now() + SPIN_TIME;
    while (round_.load() == seen && std::chrono::steady_clock::now() < deadline) cpu_pause();
    Loop loop;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return round_.load() != seen; });
      seen = round_.load();
      if (index >= helpers_) continue;
      loop = loop_;
    }
    run_tasks(loop);
    --active_;
  }
}

namespace {

// Never destroyed: the threads may outlive static objects.
alignas(Workers) unsigned char memory[sizeof(Workers)];

// A forked child has none of the threads, and another thread of its parent may have held the locks: make a new pool in
// place of the old one.
Workers* const instance = [] {
#if !defined(_WIN32)
  pthread_atfork(nullptr, nullptr, [] { new (memory) Workers; });
#endif
  return new (memory) Workers;
}();

}  // namespace

Pool& pool() { return *instance; }

int Pool::threads() { return instance->threads(); }

void Pool::run_loop(const Loop& loop) { instance->run_loop(loop); }

}  // namespace inksight
