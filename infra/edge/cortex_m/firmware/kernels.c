// The arithmetic is that of TensorFlow Lite's quantization (Jacob et al. 2018, sections 2.2 to 2.4): a real
// factor below 1 is an integer of 31 bits and a shift, and every rounding is the same, so the answers are too.
#include "kernels.h"

// a * b / 2^31, rounded to the nearest.
static int32_t high_product(int32_t a, int32_t b) {
    if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
    int64_t product = (int64_t)a * b;
    return (int32_t)((product + (product >= 0 ? (1 << 30) : 1 - (1 << 30))) / ((int64_t)1 << 31));
}

// x / 2^exponent, rounded to the nearest, a half away from zero.
static int32_t rounded_shift(int32_t x, int exponent) {
    int32_t mask = (int32_t)(((int64_t)1 << exponent) - 1), rest = x & mask;
    return (x >> exponent) + (rest > (mask >> 1) + (x < 0));
}

static int32_t scaled(int32_t x, int32_t multiplier, int shift) {
    int left = shift > 0 ? shift : 0, right = shift > 0 ? 0 : -shift;
    return rounded_shift(high_product(x * (1 << left), multiplier), right);
}

static int8_t clamped(int32_t x, int least) {
    return (int8_t)(x < least ? least : x > 127 ? 127 : x);
}

// Each weight times each value: what stands for 0 in the input was multiplied out into the bias beforehand.
static int32_t dot(const int8_t *weights, const int8_t *values, int count) {
    int32_t sum = 0;
    for (const int8_t *end = weights + count; weights < end; weights += 4, values += 4)
        sum += weights[0] * values[0] + weights[1] * values[1] + weights[2] * values[2] + weights[3] * values[3];
    return sum;
}

void convolve(const int8_t *in, int8_t *out, const int8_t *weights, const int32_t *bias,
              const int32_t *multipliers, const int8_t *shifts, const Shape *s) {
    int row = s->kernel_width * s->channels;  // of the kernel: side by side in the input too
    for (int y = 0; y < s->out_height; y++)
        for (int x = 0; x < s->out_width; x++) {
            const int8_t *corner = in + (y * s->stride_y * s->width + x * s->stride_x) * s->channels;
            const int8_t *weight = weights;
            for (int o = 0; o < s->out_channels; o++) {
                int32_t sum = bias[o];
                for (int ky = 0; ky < s->kernel_height; ky++, weight += row)
                    sum += dot(weight, corner + ky * s->width * s->channels, row);
                *out++ = clamped(scaled(sum, multipliers[o], shifts[o]) + s->output_zero, s->least);
            }
        }
}

void convolve_depthwise(const int8_t *in, int8_t *out, const int8_t *weights, const int32_t *bias,
                        const int32_t *multipliers, const int8_t *shifts, const Shape *s) {
    for (int y = 0; y < s->out_height; y++)
        for (int x = 0; x < s->out_width; x++)
            for (int o = 0; o < s->out_channels; o++) {
                int c = s->channels == 1 ? 0 : o;  // of one channel: every kernel looks at the same ink
                int32_t sum = bias[o];
                for (int ky = 0; ky < s->kernel_height; ky++) {
                    int row = y * s->stride_y - s->top + ky;
                    if (row < 0 || row >= s->height) continue;
                    for (int kx = 0; kx < s->kernel_width; kx++) {
                        int column = x * s->stride_x - s->left + kx;
                        if (column < 0 || column >= s->width) continue;
                        sum += weights[(ky * s->kernel_width + kx) * s->out_channels + o] *
                               (in[(row * s->width + column) * s->channels + c] - s->input_zero);
                    }
                }
                *out++ = clamped(scaled(sum, multipliers[o], shifts[o]) + s->output_zero, s->least);
            }
}

void add(const int8_t *a, const int8_t *b, int8_t *out, int count, const Sum *s) {
    for (int i = 0; i < count; i++) {
        int32_t left = scaled((a[i] - s->zero_a) * (1 << 20), s->multiplier_a, s->shift_a);
        int32_t right = scaled((b[i] - s->zero_b) * (1 << 20), s->multiplier_b, s->shift_b);
        out[i] = clamped(scaled(left + right, s->multiplier_out, s->shift_out) + s->zero_out, s->least);
    }
}
