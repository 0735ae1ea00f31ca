// A thread pool for short parallel loops. After each loop its threads spin for a moment before they sleep.
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
  // Call work(0) .. work(tasks - 1) in any order on all threads, including the caller's; return when all are done.
  // While the pool is busy, a second caller runs its tasks on its own thread.
  void run(int tasks, const std::function<void(int)>& work);

 private:
  void work_loop();
  void run_tasks(const std::function<void(int)>& work, int tasks);

  std::vector<std::thread> workers_;
  std::mutex busy_, mutex_;
  std::condition_variable wake_;
  const std::function<void(int)>* work_ = nullptr;
  int tasks_ = 0;
  std::atomic<int> next_{0}, active_{0};
  std::atomic<unsigned> round_{0};
  std::atomic<bool> stop_{false};
};

// The pool of this process: INKSIGHT_THREADS threads, or one for each core that the process may use.
Pool& pool();

}  // namespace inksight
