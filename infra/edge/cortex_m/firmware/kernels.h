// The layers of the network in integers, as TensorFlow Lite for Microcontrollers computes them.
// int8 pictures [height, width, channels]; weights int8, a scale for each channel; sums int32.
#ifndef KERNELS_H
#define KERNELS_H

#include <stdint.h>

typedef struct {
    int height, width, channels;              // of the input
    int out_height, out_width, out_channels;  // of the output
    int kernel_height, kernel_width, stride_y, stride_x;
    int top, left;  // rows and columns of zeros around the input
    int input_zero, output_zero, least;  // what stands for 0; `least` is 0 after a ReLU, else -128
} Shape;

typedef struct {
    int zero_a, zero_b, zero_out, least;
    int32_t multiplier_a, multiplier_b, multiplier_out;
    int shift_a, shift_b, shift_out;
} Sum;

void convolve(const int8_t *in, int8_t *out, const int8_t *weights, const int32_t *bias,
              const int32_t *multipliers, const int8_t *shifts, const Shape *shape);
void convolve_depthwise(const int8_t *in, int8_t *out, const int8_t *weights, const int32_t *bias,
                        const int32_t *multipliers, const int8_t *shifts, const Shape *shape);
void add(const int8_t *a, const int8_t *b, int8_t *out, int count, const Sum *sum);

#endif
