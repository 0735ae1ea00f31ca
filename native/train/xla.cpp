// The XLA custom calls that Python reaches with jax.ffi.ffi_call. Batches are (groups, channels, height, width, 16).
#include <new>
#include <string>

#include "runtime/dispatch.h"
#include "train/batch.h"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;
using inksight::LANES;
using inksight::Shape;

namespace {

using F32 = ffi::Buffer<ffi::F32>;
using OutF32 = ffi::ResultBuffer<ffi::F32>;
using Error = ffi::Error;

Error shape_of(const F32& x, const F32& w, std::int32_t pool, Shape* shape, int* groups) {
  const auto in = x.dimensions(), kernel = w.dimensions();
  if (in.size() != 5 || in[4] != LANES || kernel.size() != 4 || kernel[0] != kernel[1] || kernel[2] != in[1])
    return Error::InvalidArgument(
        "inksight: images must be (groups, channels, height, width, 16) and weights (k, k, channels, filters)");
  const int k = int(kernel[0]);
  if ((k != 1 && k != 3 && k != 5 && k != 7) || (pool != 1 && pool != 2) || in[2] - k + 1 < pool ||
      in[3] - k + 1 < pool)
    return Error::InvalidArgument(
        "inksight: the kernel must be 1, 3, 5 or 7 and the pool 1 or 2, for an output of at least one pixel, got "
        "kernel " +
        std::to_string(k) + ", pool " + std::to_string(pool) + " and images of " + std::to_string(in[2]) + "x" +
        std::to_string(in[3]));
  *shape = {int(in[1]), int(in[2]), int(in[3]), int(kernel[3]), k, pool};
  *groups = int(in[0]);
  return Error::Success();
}

// A handler that returns XLA's error where memory runs out. The message is too short to need memory.
template <auto handler>
struct Guarded;
template <class... Arguments, Error (*handler)(Arguments...)>
struct Guarded<handler> {
  static Error call(Arguments... arguments) {
    try {
      return handler(arguments...);
    } catch (const std::bad_alloc&) {
      return Error(ffi::ErrorCode::kResourceExhausted, "out of memory");
    }
  }
};

// Return null for an array without elements: it stands for a result that the caller does not need.
template <class Buffer>
auto* data_or_null(Buffer& buffer) {
  return buffer.element_count() > 0 ? buffer.typed_data() : nullptr;
}

Error forward(F32 x, F32 w, F32 b, std::int32_t pool, float leak, OutF32 y, ffi::ResultBuffer<ffi::U8> pool_argmax,
              OutF32 means) {
  Shape s;
  int groups;
  if (Error error = shape_of(x, w, pool, &s, &groups); error.failure()) return error;
  inksight::conv_forward(s, groups, x.typed_data(), w.typed_data(), b.typed_data(), leak, y->typed_data(),
                         data_or_null(*pool_argmax), data_or_null(*means));
  return Error::Success();
}

// dy has the size of y, or one value per feature map.
Error backward(F32 x, F32 w, F32 y, ffi::Buffer<ffi::U8> pool_argmax, F32 dy, std::int32_t pool, float leak, OutF32 dx,
               OutF32 dw, OutF32 db) {
  Shape s;
  int groups;
  if (Error error = shape_of(x, w, pool, &s, &groups); error.failure()) return error;
  inksight::conv_backward(s, groups, x.typed_data(), w.typed_data(), y.typed_data(), data_or_null(pool_argmax),
                          dy.typed_data(), dy.element_count() == y.element_count(), leak, data_or_null(*dx),
                          dw->typed_data(), db->typed_data());
  return Error::Success();
}

Error warp(ffi::Buffer<ffi::U8> images, ffi::Buffer<ffi::S32> rows, F32 lattice, F32 mean, F32 variance, OutF32 out) {
  const auto in = images.dimensions();
  if (in.size() != 3 || in[1] != in[2] || in[0] < 1)
    return Error::InvalidArgument("inksight: images must be (n, side, side), with n at least 1");
  if (lattice.element_count() != rows.element_count() * 2 * inksight::KNOTS * inksight::KNOTS)
    return Error::InvalidArgument("inksight: the lattice must hold 2 x 5 x 5 numbers for each row");
  inksight::warp_batch(images.typed_data(), in[0], int(in[1]), rows.typed_data(), lattice.typed_data(),
                       int(rows.element_count()), *mean.typed_data(), *variance.typed_data(), out->typed_data());
  return Error::Success();
}

Error orthogonalize(F32 m, std::int32_t steps, float a, float b, float c, OutF32 out) {
  const auto size = m.dimensions();
  if (size.size() != 2)
    return Error::InvalidArgument("inksight: the matrix must have 2 axes, got " + std::to_string(size.size()));
  const float abc[] = {a, b, c};
  inksight::kernels().orthogonalize(int(size[0]), int(size[1]), m.typed_data(), steps, abc, out->typed_data());
  return Error::Success();
}

}  // namespace

#pragma GCC visibility push(default)  // Python looks these up by name
XLA_FFI_DEFINE_HANDLER_SYMBOL(inksight_forward, Guarded<forward>::call,
                              ffi::Ffi::Bind()
                                  .Arg<F32>()
                                  .Arg<F32>()
                                  .Arg<F32>()
                                  .Attr<std::int32_t>("pool")
                                  .Attr<float>("leak")
                                  .Ret<F32>()
                                  .Ret<ffi::Buffer<ffi::U8>>()
                                  .Ret<F32>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(inksight_backward, Guarded<backward>::call,
                              ffi::Ffi::Bind()
                                  .Arg<F32>()
                                  .Arg<F32>()
                                  .Arg<F32>()
                                  .Arg<ffi::Buffer<ffi::U8>>()
                                  .Arg<F32>()
                                  .Attr<std::int32_t>("pool")
                                  .Attr<float>("leak")
                                  .Ret<F32>()
                                  .Ret<F32>()
                                  .Ret<F32>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(inksight_warp, Guarded<warp>::call,
                              ffi::Ffi::Bind()
                                  .Arg<ffi::Buffer<ffi::U8>>()
                                  .Arg<ffi::Buffer<ffi::S32>>()
                                  .Arg<F32>()
                                  .Arg<F32>()
                                  .Arg<F32>()
                                  .Ret<F32>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(inksight_orthogonalize, Guarded<orthogonalize>::call,
                              ffi::Ffi::Bind()
                                  .Arg<F32>()
                                  .Attr<std::int32_t>("steps")
                                  .Attr<float>("a")
                                  .Attr<float>("b")
                                  .Attr<float>("c")
                                  .Ret<F32>());
#pragma GCC visibility pop
