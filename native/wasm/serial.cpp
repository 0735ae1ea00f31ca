// The pool of WebAssembly, which has one thread: see runtime/pool.h.
#include "runtime/pool.h"

namespace inksight {

int usable_cores() { return 1; }

void choose_threads(int) {}

int Pool::threads() { return 1; }

void Pool::run_loop(const Loop& loop) {
  for (int task = 0; task < loop.tasks; ++task) loop.call(loop.work, task);
}

Pool& pool() {
  static Pool instance;
  return instance;
}

}  // namespace inksight
