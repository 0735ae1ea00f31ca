#include "runtime/pool.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#if defined(__linux__)
#include <sched.h>
#endif

namespace inksight {

namespace {

constexpr auto AWAKE = std::chrono::microseconds(60);  // longer than the pauses between the loops of a training step

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// The cores this process may run on, and no more than its container is granted.
int usable_cores() {
  int cores = std::max(1, int(std::thread::hardware_concurrency()));
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) cores = CPU_COUNT(&set);
  std::ifstream limit("/sys/fs/cgroup/cpu.max");  // microseconds granted in each period, or the word max
  double granted, period;
  if (limit >> granted >> period && period > 0) cores = std::min(cores, std::max(1, int(std::ceil(granted / period))));
#endif
  return cores;
}

int wanted_threads() {
  const char* text = std::getenv("INKSIGHT_THREADS");
  const int wanted = text ? std::atoi(text) : 0;
  return wanted > 0 ? (wanted < 256 ? wanted : 256) : usable_cores();
}

}  // namespace

Pool::Pool(int threads) {
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { serve(); });
}

Pool::~Pool() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
    ++round_;
  }
  wake_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void Pool::take(const std::function<void(int)>& work, int tasks) {
  for (int task = next_++; task < tasks; task = next_++) work(task);
}

void Pool::run(int tasks, const std::function<void(int)>& work) {
  if (workers_.empty() || tasks < 2 || !busy_.try_lock()) {
    for (int task = 0; task < tasks; ++task) work(task);
    return;
  }
  std::lock_guard<std::mutex> lock(busy_, std::adopt_lock);
  {
    std::lock_guard<std::mutex> guard(mutex_);
    work_ = &work;
    tasks_ = tasks;
    next_ = 0;
    active_ = int(workers_.size());
    ++round_;
  }
  wake_.notify_all();
  take(work, tasks);
  // Every worker has to have seen this round before `work` goes away.
  for (int spins = 0; active_.load() > 0;)
    if (++spins < 4096)
      relax();
    else
      std::this_thread::yield();
}

void Pool::serve() {
  unsigned seen = 0;
  for (;;) {
    const auto until = std::chrono::steady_clock::now() + AWAKE;
    while (round_.load() == seen && std::chrono::steady_clock::now() < until) relax();
    const std::function<void(int)>* work;
    int tasks;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return round_.load() != seen; });
      seen = round_.load();
      if (stop_) return;
      work = work_;
      tasks = tasks_;
    }
    take(*work, tasks);
    --active_;
  }
}

Pool& pool() {
  static Pool* instance = new Pool(wanted_threads());  // never torn down: threads may outlive static objects
  return *instance;
}

}  // namespace inksight
