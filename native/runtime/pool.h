// A pool of threads for short parallel loops: it waits awake for a moment after each, and then sleeps.
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace inksight {

class Pool {
 public:
  explicit Pool(int threads);
  ~Pool();
  int threads() const { return int(workers_.size()) + 1; }
  // Call work(0) .. work(tasks - 1), in any order, on all threads, this one too; return when all are done. A second
  // caller meanwhile does its work by itself.
  void run(int tasks, const std::function<void(int)>& work);

 private:
  void serve();
  void take(const std::function<void(int)>& work, int tasks);

  std::vector<std::thread> workers_;
  std::mutex busy_, mutex_;
  std::condition_variable wake_;
  const std::function<void(int)>* work_ = nullptr;
  int tasks_ = 0;
  std::atomic<int> next_{0}, active_{0};
  std::atomic<unsigned> round_{0};
  std::atomic<bool> stop_{false};
};

// The process's pool: INKSIGHT_THREADS threads, or as many as it may use cores.
Pool& pool();

}  // namespace inksight
