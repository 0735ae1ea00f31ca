/* Reads images of 784 bytes from standard input and prints the class of each and its probability.
 *
 * Build: cc -std=c99 -O2 {{ prefix }}_example.c {{ prefix }}.c -lm -o {{ prefix }}_example
 */

#include "{{ prefix }}.h"

#include <stdio.h>

int main(void)
{
    uint8_t image[784];
    while (fread(image, sizeof image, 1, stdin) == 1) {
        float probabilities[{{ macro }}_CLASSES];
        int i, best = 0;
        {{ prefix }}_predict(image, probabilities);
        for (i = 1; i < {{ macro }}_CLASSES; i++)
            if (probabilities[i] > probabilities[best])
                best = i;
        printf("%s %.1f%%\n", {{ prefix }}_class_names[best], 100 * (double)probabilities[best]);
    }
    return 0;
}
