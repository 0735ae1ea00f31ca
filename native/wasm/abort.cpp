// WebAssembly without exceptions: where memory runs out, the engine stops.
#include <cstddef>
#include <vector>  // declares __libcpp_verbose_abort

extern "C" {

void* __cxa_allocate_exception(std::size_t) { __builtin_trap(); }

void __cxa_throw(void*, void*, void (*)(void*)) { __builtin_trap(); }

// The C++ library would print why the program ends. A page has nowhere to print to, and printf is 17,000 bytes long.
void __abort_message(const char*, ...) { __builtin_trap(); }

}  // extern "C"

void std::__libcpp_verbose_abort(const char*, ...) noexcept { __builtin_trap(); }
