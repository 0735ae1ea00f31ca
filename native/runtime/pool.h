// A thread pool for short parallel loops. After each loop its threads spin for a moment before they sleep.
#pragma once
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>

namespace inksight {

class Pool {
 public:
  // The number of threads that a loop may run on: as chosen, or one for each usable core.
  int threads();

  // Call work(0) .. work(tasks - 1) in any order on all threads, including the caller's; return when all are done.
  // Threads are started when a loop first needs them; if none can be started, the loop runs on those there are. While
  // the pool is busy, a second caller runs its tasks on its own thread. If a task throws, those not yet begun are left
  // out, and the caller gets the exception.
  template <class Work>
  void run(int tasks, const Work& work) {
    run_loop({[](const void* work, int task) { (*static_cast<const Work*>(work))(task); }, &work, tasks});
  }

 private:
  // The work of a loop without its type: std::function would allocate memory.
  struct Loop {
    void (*call)(const void* work, int task);
    const void* work;
    int tasks;
  };
  void run_loop(const Loop& loop);
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

// The pool of this process. A forked child gets a new one, without threads.
Pool& pool();

// Choose the number of threads of this process and of its forked children; 0 stands for one for each usable core.
void choose_threads(int threads);

// Count the cores that this process may run on, limited by its container's CPU quota.
int usable_cores();

}  // namespace inksight
