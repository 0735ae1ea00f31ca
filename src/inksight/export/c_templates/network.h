/* A network for handwritten digits{{ ", in 8-bit integers" if int8 }}. Written by inksight {{ version }}.
 *
 * An image is 28x28 bytes, row by row: 0 is paper and 255 is ink. It must look like those of MNIST: a light digit on a
 * dark ground, scaled to 20x20 pixels with its proportions, its center of mass in the middle. This code does not turn a
 * photo or a drawing into such an image: inksight.prepare does, in Python.
 *
 * Network:    {{ spec }}
 * Weights:    SHA-256 {{ digest }}
 * Accuracy:   {{ accuracy }}
 * RAM:        {{ ram }} bytes, static; and a few hundred bytes of stack
 * Flash:      {{ flash }} bytes of weights and tables; and the code
 *
 * C99. No memory is allocated. Of the C library, only expf is called (link with -lm where it is separate).
 * The RAM is shared by all calls: do not call from two threads, or from an interrupt, at a time.
 */

#ifndef {{ macro }}_H
#define {{ macro }}_H

#include <stdint.h>

#define {{ macro }}_CLASSES {{ classes }}
#define {{ macro }}_BARCODE {{ barcode }}
#define {{ macro }}_RAM {{ ram }}
#define {{ macro }}_FLASH {{ flash }}
{% if rejects %}
#define {{ macro }}_REJECTION_THRESHOLD {{ rejection_threshold }}
{% endif %}

#ifdef __cplusplus
extern "C" {
#endif

/* The names of the classes. */
extern const char *const {{ prefix }}_class_names[{{ macro }}_CLASSES];

/* The probability of each class, 0 to 1; their sum is 1. */
void {{ prefix }}_predict(const uint8_t image[784], float probabilities[{{ macro }}_CLASSES]);

/* The most probable class, from 0. */
int {{ prefix }}_label(const uint8_t image[784]);

/* The mean of each feature map of the last bank. */
void {{ prefix }}_barcode(const uint8_t image[784], float barcode[{{ macro }}_BARCODE]);
{% if rejects %}

/* The probability, 0 to 1, that the image shows no digit; reject it above {{ macro }}_REJECTION_THRESHOLD. */
float {{ prefix }}_rejection(const uint8_t image[784]);
{% endif %}

#ifdef __cplusplus
}
#endif

#endif
