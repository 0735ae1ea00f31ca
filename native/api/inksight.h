/* The C interface of the engine, which src/inksight/engine/ calls with ctypes.
 *
 * Python declares the structs and functions again. Whoever changes one of them must raise INKSIGHT_ABI here and ABI in
 * src/inksight/engine/library.py, so that Python never calls a library of another interface. The custom calls of
 * train/xla.cpp are exported too; XLA checks their arguments itself.
 */
#ifndef INKSIGHT_H
#define INKSIGHT_H

#include <stdint.h>

#define INKSIGHT_ABI 1

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif
#ifdef __cplusplus
extern "C" {
#endif

/* Return INKSIGHT_ABI as it was when the library was built. */
int inksight_abi(void);

/* Return the name of the instruction set in use: "avx512", "avx2" or "portable". */
const char* inksight_isa(void);

/* Use another instruction set. Return 0, and change nothing, if the processor or the build lacks it. */
int inksight_use(const char* isa);

/* Return the number of threads that the engine uses. */
int inksight_threads(void);

/* Measure the multiply-adds per second of all threads together, on registers. Takes about a tenth of a second. */
double inksight_peak(void);

/* A network with its weights, ready to predict. */
typedef struct inksight_predictor inksight_predictor;

/* Make a predictor, or return null if memory runs out.
 *
 * `banks` holds filters, kernel and pool of each of `count` banks. `side` is the height and width of an image. `dense`
 * is the number of units of the dense layer, or 0 for none. `scalars` holds the slope of leaky ReLU, and the mean and
 * variance of the pixels. `weights` holds the weights of all layers in the order of the model file.
 */
inksight_predictor* inksight_predictor_new(const int* banks, int count, int side, int dense, int classes,
                                           const float* scalars, const float* weights);

void inksight_predictor_free(inksight_predictor* predictor);

/* Predict n images (n, side, side), given as `bytes` or, if that is null, as `floats` 0..1.
 *
 * `stages` has one pointer for each stage, in order: normalized, bank1, bank2, ..., barcode, dense (if the network has
 * one), logits, probabilities. A stage is written there, channels last, unless its pointer is null. Return 0 if memory
 * runs out, else 1.
 */
int inksight_predict(const inksight_predictor* predictor, const uint8_t* bytes, const float* floats, long n,
                     float* const* stages);

/* The constants of src/inksight/imaging/preprocessing.py. */
typedef struct inksight_constants {
  double side;               /* pixels: side of the result */
  double box_size;           /* pixels: longer side of the digit in the result */
  double center;             /* pixels: the digit's center of mass in the result */
  double working_size;       /* pixels: maximum side of `gray` and `ink` */
  double min_size;           /* pixels of the picture: minimum for the longer side of a digit */
  double illumination_grid;  /* cells: maximum side of the grid on which the light is estimated */
  double min_background;     /* brightness 0..1: darker paper is treated as this bright */
  double min_contrast;       /* contrast 0..1: minimum for the strongest ink */
  double speck_share;        /* share of the largest component's ink: smaller components are specks */
  double weak_ink;           /* ink 0..1: weaker pixels need a stronger neighbour */
  double min_ink;            /* ink 0..1: weaker pixels are paper */
  double slope_ridge;        /* share of the pixels: ridge penalty on the slopes of the illumination plane */
  double polarity_threshold; /* absolute polarity score: the polarity is ambiguous below it */
  double noise_reach;        /* multiples of median - first quartile: paper noise goes so far above its median */
  double rounding_offset;    /* added and subtracted again to drop the low bits of a value */
} inksight_constants;

enum { INKSIGHT_NO_PROBLEM, INKSIGHT_BLANK, INKSIGHT_FAINT, INKSIGHT_SMALL };

/* What preprocessing found in a picture. */
typedef struct inksight_found {
  int64_t height, width;                            /* pixels of `gray` and `ink` */
  int64_t box_left, box_top, box_width, box_height; /* pixels of the picture: the digit's box, zeros if there is none */
  int64_t dark;                                     /* 1 if the ink is darker than the paper */
  int64_t polarity_ambiguous;                       /* 1 if ink and paper may be the other way round */
  int64_t problem;                                  /* one of the enum above: why there is nothing to read */
} inksight_found;

/* Preprocess a picture of one digit to the form of MNIST's images. Return 0 if memory runs out, else 1.
 *
 * `picture` (height, width) is brightness 0..1. `invert` is 1 if the ink is lighter than the paper, 0 if it is darker,
 * and negative if the polarity is to be detected. `image` has room for side x side bytes. `gray` and `ink` each have
 * room for min(height, working_size) x min(width, working_size) numbers.
 */
int inksight_preprocess(const double* picture, long height, long width, int invert, const inksight_constants* constants,
                        uint8_t* image, double* gray, double* ink, inksight_found* found);

#ifdef __cplusplus
}
#endif
#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#endif
