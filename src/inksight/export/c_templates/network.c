/* A network for handwritten digits{{ ", in 8-bit integers" if int8 }}; see {{ prefix }}.h. Written by inksight {{ version }}. */

#include "{{ prefix }}.h"

#include <math.h>
#include <stddef.h>

enum { BANKS = {{ banks | length }}, SIDE = 28, MOST_ROWS = {{ most_rows }}, BARCODE = {{ macro }}_BARCODE, OUTPUTS = {{ outputs }} };

{% if int8 %}
typedef uint8_t value_t; /* a level of a feature map */
typedef int8_t weight_t;
typedef {{ sum_type }} sum_t; /* wide enough for the sums of these weights */
{% else %}
typedef float value_t;
typedef float weight_t;
typedef float sum_t;
{% endif %}

{% for array in arrays %}
static const {{ array.type }} {{ array.name }}[{{ array.size }}] = {
{{ array.text }}
};
{% endfor %}

{% if int8 %}
/* The levels of a layer's output: a level's value is scale * (level - zero). */
typedef struct {
    const int32_t *multipliers; /* levels per sum of 1 for each filter, shifted */
    int64_t offset;             /* the level of 0, shifted, and a half to round */
    int32_t top;                /* the highest level */
    uint8_t shift;
} levels_t;

{% endif %}
/* A convolution, max pooling and leaky ReLU. */
typedef struct {
{% if separable %}
    const weight_t *depthwise; /* kernel x kernel x channels; NULL if the convolution is not separable */
{% endif %}
    const weight_t *weights; /* filters x kernel x kernel x channels{{ ", or filters x channels if separable" if separable }} */
    const sum_t *bias;
    uint32_t rows;   /* where its input begins in workspace.rows: the newest kernel + pool - 1 rows */
    uint16_t channels, filters;
    uint8_t side;    /* pixels in a row of the input */
    uint8_t kernel, pool;
{% if int8 %}
    levels_t levels;
{% endif %}
} bank_t;

static const bank_t banks[BANKS] = {
{% for bank in banks %}
    { {{ bank }} },
{% endfor %}
};
{% if int8 and dense %}
static const levels_t dense_levels = { {{ dense }} };
{% endif %}

static struct {
    value_t rows[{{ row_values }}];
    sum_t sums[{{ most_filters }}];
{% if separable %}
    sum_t channel_sums[{{ most_channels }}];
{% endif %}
    sum_t barcode[BARCODE];
{% if dense %}
    sum_t dense[{{ dense_units }}];
{% endif %}
} workspace;

{% if plain %}
static sum_t dot(const value_t *x, const weight_t *weights, int n)
{
    sum_t sum = 0;
    int i;
    for (i = 0; i < n; i++)
        sum += (sum_t)x[i] * weights[i];
    return sum;
}

{% endif %}
static sum_t dot_sums(const sum_t *x, const weight_t *weights, int n)
{
    sum_t sum = 0;
    int i;
    for (i = 0; i < n; i++)
        sum += x[i] * weights[i];
    return sum;
}

{% if plain %}
/* The sum of one filter at one place, where x is the offset in each row. */
static sum_t convolve(const bank_t *bank, const value_t **rows, int x, int filter)
{
    const int n = bank->kernel * bank->channels;
    const weight_t *weights = bank->weights + (size_t)filter * bank->kernel * n;
    sum_t sum = bank->bias[filter];
    int i;
    for (i = 0; i < bank->kernel; i++)
        sum += dot(rows[i] + x, weights + i * n, n);
    return sum;
}

{% endif %}
{% if separable %}
/* The sums of all channels at one place. */
static void convolve_channels(const bank_t *bank, const value_t **rows, int x)
{
    int c, i, j;
    for (c = 0; c < bank->channels; c++) {
        const weight_t *weight = bank->depthwise + c;
        sum_t sum = 0;
        for (i = 0; i < bank->kernel; i++)
            for (j = 0; j < bank->kernel; j++, weight += bank->channels)
                sum += (sum_t)rows[i][x + j * bank->channels + c] * *weight;
        workspace.channel_sums[c] = sum;
    }
}

{% endif %}
{% if int8 %}
/* The level of a sum: leaky ReLU, and rounding. */
static int32_t activate(sum_t sum, int filter, const levels_t *levels)
{
    int64_t product = (int64_t)sum * levels->multipliers[filter];
    if (product < 0)
        product = product / {{ leak_one }} * {{ leak }};
    product += levels->offset;
    if (product < 0)
        return 0;
    product >>= levels->shift;
    return product < levels->top ? (int32_t)product : levels->top;
}
{% else %}
static float activate(float sum)
{
    return sum > 0 ? sum : {{ leak }} * sum;
}
{% endif %}

/* Puts the largest sum of each filter over one pooling window into workspace.sums. */
static void pool_sums(const bank_t *bank, const value_t **rows, int x)
{
    int i, j, f;
    for (i = 0; i < bank->pool; i++)
        for (j = 0; j < bank->pool; j++) {
            const int place = (x * bank->pool + j) * bank->channels;
{% if separable and plain %}
            if (bank->depthwise)
                convolve_channels(bank, rows + i, place);
{% elif separable %}
            convolve_channels(bank, rows + i, place);
{% endif %}
            for (f = 0; f < bank->filters; f++) {
{% if separable %}
                const weight_t *pointwise = bank->weights + (size_t)f * bank->channels;
{% endif %}
{% if separable and plain %}
                const sum_t sum = bank->depthwise
                    ? bank->bias[f] + dot_sums(workspace.channel_sums, pointwise, bank->channels)
                    : convolve(bank, rows + i, place, f);
{% elif separable %}
                const sum_t sum = bank->bias[f] + dot_sums(workspace.channel_sums, pointwise, bank->channels);
{% else %}
                const sum_t sum = convolve(bank, rows + i, place, f);
{% endif %}
                if (i + j == 0 || sum > workspace.sums[f])
                    workspace.sums[f] = sum;
            }
        }
}

/* Computes a row of a bank's feature maps into `out`; those of the last bank are added to the barcode instead. */
static void compute_row(const bank_t *bank, const value_t **rows, value_t *out)
{
    const int side = (bank->side - bank->kernel + 1) / bank->pool;
    int x, f;
    for (x = 0; x < side; x++) {
        pool_sums(bank, rows, x);
        for (f = 0; f < bank->filters; f++) {
{% if int8 %}
            const int32_t value = activate(workspace.sums[f], f, &bank->levels);
{% else %}
            const float value = activate(workspace.sums[f]);
{% endif %}
            if (out)
                *out++ = (value_t)value;
            else
                workspace.barcode[f] += value;
        }
    }
}

/* The number of input rows that a bank keeps. */
static int depth(const bank_t *bank)
{
    return bank->kernel + bank->pool - 1;
}

/* Where row y of a bank's input is kept, in place of an older one. */
static value_t *row_of(const bank_t *bank, int y)
{
    return workspace.rows + bank->rows + (size_t)(y % depth(bank)) * bank->side * bank->channels;
}

/* Computes the barcode. Each row of the image makes at most one new row in every bank. */
static void run_banks(const uint8_t *image)
{
    int received[BANKS] = { 0 };
    int b, f, i, y;
    for (f = 0; f < BARCODE; f++)
        workspace.barcode[f] = 0;
    for (y = 0; y < SIDE; y++) {
        value_t *row = row_of(banks, y);
        for (i = 0; i < SIDE; i++)
            row[i] = {{ "image[y * SIDE + i]" if int8 else "((float)image[y * SIDE + i] / 255 - " ~ mean ~ ") / " ~ deviation }};
        for (b = 0; b < BANKS; b++) {
            const bank_t *bank = banks + b;
            const int first = ++received[b] - depth(bank);
            const value_t *rows[MOST_ROWS];
            if (first < 0 || first % bank->pool)
                break;
            for (i = 0; i < depth(bank); i++)
                rows[i] = row_of(bank, first + i);
            compute_row(bank, rows, b + 1 < BANKS ? row_of(bank + 1, received[b + 1]) : NULL);
        }
    }
    for (f = 0; f < BARCODE; f++)
        workspace.barcode[f] = {{ "(workspace.barcode[f] + %d) / %d" % (area // 2, area) if int8 else "workspace.barcode[f] / %d" % area }};
}

static void compute_logits(const uint8_t *image, float *logits)
{
    const sum_t *units = workspace.barcode;
    int i;
    run_banks(image);
{% if dense %}
    for (i = 0; i < {{ dense_units }}; i++) {
        const sum_t sum = dense_bias[i] + dot_sums(units, dense_weights + i * BARCODE, BARCODE);
        workspace.dense[i] = activate(sum{{ ", i, &dense_levels" if int8 }});
    }
    units = workspace.dense;
{% endif %}
    for (i = 0; i < OUTPUTS; i++) {
        const sum_t sum = output_bias[i] + dot_sums(units, output_weights + i * {{ units }}, {{ units }});
        logits[i] = {{ "(float)sum * output_scales[i]" if int8 else "sum" }};
    }
}

/* Turns n logits into probabilities. */
static void softmax(float *logits, int n)
{
    float largest = logits[0], total = 0;
    int i;
    for (i = 1; i < n; i++)
        if (logits[i] > largest)
            largest = logits[i];
    for (i = 0; i < n; i++)
        total += logits[i] = expf(logits[i] - largest);
    for (i = 0; i < n; i++)
        logits[i] /= total;
}

const char *const {{ prefix }}_class_names[{{ macro }}_CLASSES] = { {{ class_names | join(", ") }} };

void {{ prefix }}_predict(const uint8_t image[784], float probabilities[{{ macro }}_CLASSES])
{
    float logits[OUTPUTS];
    int i;
    compute_logits(image, logits);
    softmax(logits, {{ macro }}_CLASSES);
    for (i = 0; i < {{ macro }}_CLASSES; i++)
        probabilities[i] = logits[i];
}

int {{ prefix }}_label(const uint8_t image[784])
{
    float logits[OUTPUTS];
    int i, best = 0;
    compute_logits(image, logits);
    for (i = 1; i < {{ macro }}_CLASSES; i++)
        if (logits[i] > logits[best])
            best = i;
    return best;
}

void {{ prefix }}_barcode(const uint8_t image[784], float barcode[{{ macro }}_BARCODE])
{
    int i;
    run_banks(image);
    for (i = 0; i < BARCODE; i++)
        barcode[i] = {{ "(float)(workspace.barcode[i] - %d) * %s" % (barcode_zero, barcode_scale) if int8 else "workspace.barcode[i]" }};
}
{% if rejects %}

float {{ prefix }}_rejection(const uint8_t image[784])
{
    float logits[OUTPUTS];
{% if rejection_factor %}
    int i;
    compute_logits(image, logits);
    for (i = 0; i < {{ macro }}_CLASSES; i++)
        logits[i] *= {{ rejection_factor }}; /* the temperature of the output that rejects */
{% else %}
    compute_logits(image, logits);
{% endif %}
    softmax(logits, OUTPUTS);
    return logits[OUTPUTS - 1];
}
{% endif %}
