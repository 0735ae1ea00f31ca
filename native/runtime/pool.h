// A thread pool for short parallel loops. After each loop its threads spin for a moment before they sleep.
#pragma once

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

 protected:
  // The work of a loop without its type: std::function would allocate memory.
  struct Loop {
    void (*call)(const void* work, int task);
    const void* work;
    int tasks;
  };

 private:
  void run_loop(const Loop& loop);
};

// The pool of this process. A forked child gets a new one, without threads.
Pool& pool();

// Choose the number of threads of this process and of its forked children; 0 stands for one for each usable core.
void choose_threads(int threads);

// Count the cores that this process may run on, limited by its container's CPU quota.
int usable_cores();

}  // namespace inksight
