// Loaded before the C library: fails one allocation, or all from one on. Starting a thread counts as an allocation.
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

extern "C" {

void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

static std::atomic<long> left;    // allocations until the one that fails; 0 or less: none fails
static std::atomic<long> failed;  // allocations that have failed
static bool persistent;           // whether those after it fail too
static void* only;                // a library whose allocations count; null: those of the whole process

static void* library_of(void* address) {
  Dl_info library;
  return dladdr(address, &library) ? library.dli_fbase : nullptr;
}

static bool fails(void* caller) {
  const bool started = persistent && failed > 0;
  if ((left <= 0 && !started) || (only && library_of(caller) != only)) return false;
  if (!started && left.fetch_sub(1) != 1) return false;
  ++failed;
  return true;
}
#define FAILS fails(__builtin_return_address(0))

void* malloc(size_t size) noexcept { return FAILS ? nullptr : __libc_malloc(size); }
void* calloc(size_t count, size_t size) noexcept { return FAILS ? nullptr : __libc_calloc(count, size); }
void* realloc(void* p, size_t size) noexcept { return FAILS ? nullptr : __libc_realloc(p, size); }
void* memalign(size_t alignment, size_t size) noexcept { return FAILS ? nullptr : __libc_memalign(alignment, size); }
void* aligned_alloc(size_t alignment, size_t size) noexcept {
  return FAILS ? nullptr : __libc_memalign(alignment, size);
}
int posix_memalign(void** p, size_t alignment, size_t size) noexcept {
  return FAILS || !(*p = __libc_memalign(alignment, size)) ? ENOMEM : 0;
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*function)(void*), void* argument) noexcept {
  using Create = int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  if (fails(only)) return EAGAIN;
  return reinterpret_cast<Create*>(dlsym(RTLD_NEXT, "pthread_create"))(thread, attributes, function, argument);
}

// Fail the k-th allocation from now on, and those after it too if `persist` is not 0. If `library`, an address in a
// library, is not null, only that library's allocations count.
void fail_allocation(long k, int persist, void* library) {
  only = library ? library_of(library) : nullptr;
  failed = 0;
  persistent = persist;
  left = k;
}

// Fail no more. Return how many allocations have failed.
long allow_allocations() {
  left = 0;
  persistent = false;
  return failed;
}

// Call a function whose parameters are integers and pointers, and fail the k-th allocation that the process makes
// meanwhile.
int64_t call_failing(long k, int64_t (*f)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t),
                     const int64_t* a) {
  fail_allocation(k, 0, nullptr);
  const int64_t result = f(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]);
  allow_allocations();
  return result;
}

}  // extern "C"

// Not by `malloc`, which would take the C++ library for the caller.
static void* allocate(size_t size, void* caller) {
  void* p = fails(caller) ? nullptr : __libc_malloc(size ? size : 1);
  if (!p) throw std::bad_alloc();
  return p;
}
void* operator new(size_t size) { return allocate(size, __builtin_return_address(0)); }
void* operator new[](size_t size) { return allocate(size, __builtin_return_address(0)); }
