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

constexpr auto SPIN_TIME = std::chrono::microseconds(60);  // longer than the pauses between loops of a training step
constexpr int MAX_THREADS = 256;

inline void cpu_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Count the cores that this process may run on, limited by its container's CPU quota.
int usable_cores() {
  int cores = std::max(1, int(std::thread::hardware_concurrency()));
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) cores = CPU_COUNT(&set);
  std::ifstream limit("/sys/fs/cgroup/cpu.max");  // "QUOTA PERIOD" in microseconds; a QUOTA of "max" sets no limit
  double quota, period;
  if (limit >> quota >> period && period > 0) cores = std::min(cores, std::max(1, int(std::ceil(quota / period))));
#endif
  return cores;
}

int wanted_threads() {
  const char* text = std::getenv("INKSIGHT_THREADS");
  const int wanted = text ? std::atoi(text) : 0;
  return wanted > 0 ? std::min(wanted, MAX_THREADS) : usable_cores();
}

}  // namespace

Pool::Pool(int threads) {
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work_loop(); });
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

void Pool::run_tasks(const std::function<void(int)>& work, int tasks) {
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
  run_tasks(work, tasks);
  // `work` is the caller's: wait until every worker is done with it.
  for (int spins = 0; active_.load() > 0;)
    if (++spins < 4096)
      cpu_pause();
    else
      std::this_thread::yield();
}

void Pool::work_loop() {
  unsigned seen = 0;
  for (;;) {
    const auto deadline = std::chrono::steady_clock::now() + SPIN_TIME;
    while (round_.load() == seen && std::chrono::steady_clock::now() < deadline) cpu_pause();
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
    run_tasks(*work, tasks);
    --active_;
  }
}

Pool& pool() {
  static Pool* instance = new Pool(wanted_threads());  // never destroyed: threads may outlive static objects
  return *instance;
}

}  // namespace inksight
