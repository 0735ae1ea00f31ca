/* The C interface of the engine, which src/inksight/engine/ calls with ctypes.
 *
 * src/inksight/engine/interface.py declares it again. Python refuses a library whose number or whose declarations differ
 * from its own (see inksight_interface). Whoever changes the interface must raise INKSIGHT_ABI here and ABI there.
 */
#ifndef INKSIGHT_H
#define INKSIGHT_H

#include <stdint.h>

#define INKSIGHT_ABI 3

/* Declare a struct or an enum, and keep the declaration as text for inksight_interface. */
#define INKSIGHT_DECLARE(kind, name, ...) \
  typedef kind name { __VA_ARGS__ } name; \
  static const char name##_text[] = #__VA_ARGS__

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif
#ifdef __cplusplus
extern "C" {
#endif

/* Return INKSIGHT_ABI as it was when the library was built. */
int inksight_abi(void);

/* Describe this interface as it was when the library was built: the name of each struct, enum and function, with its
 * declaration as text. A null name ends the list. In the text of a function each letter stands for a type, the result's
 * first: i is int, l long, d double, s text, p another pointer, v void.
 */
typedef struct inksight_declaration {
  const char *name, *text;
} inksight_declaration;
const inksight_declaration* inksight_interface(void);

/* Return the name and the version of the compiler that built the library. */
const char* inksight_compiler(void);

/* Return the name of the instruction set in use: "avx512", "avx2", "neon" or "portable". */
const char* inksight_isa(void);

/* Use another instruction set. Return 0, and change nothing, if the processor or the build lacks it. */
int inksight_use(const char* isa);

/* Return the number of threads that a loop may run on. Starts none of them. */
int inksight_threads(void);

/* Choose the number of threads; 0 stands for one for each core that the process may use. */
void inksight_choose_threads(int threads);

/* Measure the multiply-adds per second of all threads together, on registers. Takes about a tenth of a second. */
double inksight_peak(void);

INKSIGHT_DECLARE(struct, inksight_bank,
  int filters;
  int kernel;    /* pixels: side */
  int pool;      /* pixels: side of the pooling window, 1 or 2 */
  int separable; /* 1 if its weights are depthwise and pointwise ones; a predictor takes effective kernels instead */
);

INKSIGHT_DECLARE(struct, inksight_network,
  int side;       /* pixels: height and width of an image */
  int banks;      /* number of banks */
  int dense;      /* units of the dense layer, or 0 for none */
  int classes;
  float leak;     /* slope of leaky ReLU */
  float mean;     /* of the pixels, 0..1 */
  float variance; /* of the pixels */
);

/* A network with its weights, ready to predict. */
typedef struct inksight_predictor inksight_predictor;

/* Make a predictor, or return null if memory runs out. `weights` holds the weights of all layers in the order of the
 * model file.
 */
inksight_predictor* inksight_predictor_new(const inksight_network* network, const inksight_bank* banks,
                                           const float* weights);

void inksight_predictor_free(inksight_predictor* predictor);

/* Where the stages of a prediction are written, channels last. A stage whose pointer is null is not written. */
INKSIGHT_DECLARE(struct, inksight_stages,
  float* normalized;
  float** banks; /* one pointer for each bank */
  float* barcode;
  float* dense;
  float* logits;
  float* probabilities;
);

/* Predict n images (n, side, side), given as `bytes` or, if that is null, as `floats` 0..1. Return 0 if memory runs
 * out, else 1.
 */
int inksight_predict(const inksight_predictor* predictor, const uint8_t* bytes, const float* floats, long n,
                     const inksight_stages* stages);

/* How to train; the fields are those of src/inksight/config/recipe.py and network.py. */
INKSIGHT_DECLARE(struct, inksight_recipe,
  double label_smoothing;
  double l2; /* factor of the sum of the squared weights, without biases, in the loss */
  double beta1;
  double beta2;
  double epsilon;
  double muon_scale;
  double momentum;
);

/* Batches of images, one for each step, all of one size. */
INKSIGHT_DECLARE(struct, inksight_batches,
  int steps;
  int size;         /* images in a batch */
  int32_t* rows;    /* (steps, size): the images to take */
  float* weights;   /* (steps, size): the weight of each image in the loss, 0 for those that fill up a batch */
  float* lattices;  /* (steps, size, 2, 5, 5): where the pixels of each image are read, see native/image/warp.h */
  int32_t* labels;  /* (steps, size): classes; or null, */
  float* targets;   /* (steps, size, classes): their probabilities, used if `labels` is null */
  double* rates;    /* (steps): learning rates */
);

/* A network in training: its weights and the state of its optimizer. One thread at a time may use it. */
typedef struct inksight_trainer inksight_trainer;

/* Make a trainer, or return null if memory runs out. `weights` holds all weights in the order of the model file. */
inksight_trainer* inksight_trainer_new(const inksight_network* network, const inksight_bank* banks,
                                       const inksight_recipe* recipe, const float* weights);

void inksight_trainer_free(inksight_trainer* trainer);

/* Take several steps. `images` is (count, side, side). Write to `losses` the mean cross-entropy of each batch, without
 * label smoothing and the penalty of the squared weights, and to `correct` the number of its images of weight above 0
 * that were classified correctly. The results do not depend on the number of threads. Return 0 if memory runs out, else
 * 1.
 */
int inksight_trainer_steps(inksight_trainer* trainer, const uint8_t* images, long count,
                           const inksight_batches* batches, double* losses, int64_t* correct);

/* Compute the gradient of the first of `batches`, a part of a larger batch whose weights sum to `total_weight`: the
 * parts' gradients add up to that of the batch, without the penalty of the squared weights. Write to `loss` the sum of
 * the weighted cross-entropies. Return 0 if memory runs out, else 1.
 */
int inksight_trainer_gradient(inksight_trainer* trainer, const uint8_t* images, long count,
                              const inksight_batches* batches, double total_weight, float* gradient, double* loss,
                              int64_t* correct);

/* Take the optimizer's step for the gradient of a whole batch. Return 0, and change nothing, if memory runs out. */
int inksight_trainer_update(inksight_trainer* trainer, const float* gradient, double rate);

/* Read or write the whole state: weights, first and second moments, each in the order of the model file, and the number
 * of steps taken.
 */
void inksight_trainer_read(const inksight_trainer* trainer, float* weights, float* first, float* second,
                           int64_t* steps);
void inksight_trainer_write(inksight_trainer* trainer, const float* weights, const float* first, const float* second,
                            long steps);

/* One bank applied to a batch of `groups` lane groups of sixteen images each, and its gradients, for tests of the kernels.
 * Arrays are (groups, channels, height, width, 16); `w` is (k, k, channels, filters).
 */
INKSIGHT_DECLARE(struct, inksight_block,
  int channels; int height; int width; int filters; int kernel; int pool; int groups;
  int dy_per_position; /* 0 if `dy` has one value for each feature map */
  float leak;
  float* x;
  float* w;
  float* b;
  float* y;
  float* dy; /* null if no gradients are wanted */
  float* dx; /* may be null, too */
  float* dw;
  float* db;
);

/* Compute y, and the gradients if `dy` is not null. Return 0 if memory runs out, else 1. */
int inksight_apply(const inksight_block* block);

/* The constants of src/inksight/imaging/preprocessing.py. */
INKSIGHT_DECLARE(struct, inksight_constants,
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
);

/* Why there is nothing to read in a picture. */
INKSIGHT_DECLARE(enum, inksight_problem,
  INKSIGHT_NONE, INKSIGHT_BLANK, INKSIGHT_FAINT, INKSIGHT_SMALL
);

/* What preprocessing found in a picture. */
INKSIGHT_DECLARE(struct, inksight_found,
  int64_t height, width;                            /* pixels of `gray` and `ink` */
  int64_t box_left, box_top, box_width, box_height; /* pixels of the picture: the digit's box, zeros if there is none */
  int64_t dark;                                     /* 1 if the ink is darker than the paper */
  int64_t polarity_ambiguous;                       /* 1 if ink and paper may be the other way round */
  int64_t problem;                                  /* an inksight_problem */
);

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
