// The instruction set that the current file is compiled for, and the number of floats in its vectors.
#pragma once

#if defined(__AVX512F__)
#define INKSIGHT_ISA avx512
#define INKSIGHT_WIDTH 16
#elif defined(__AVX2__)
#define INKSIGHT_ISA avx2
#define INKSIGHT_WIDTH 8
#elif defined(__aarch64__)
#define INKSIGHT_ISA neon
#define INKSIGHT_WIDTH 4
#else
#define INKSIGHT_ISA portable
#define INKSIGHT_WIDTH 4
#endif
