// The firmware: reads the cards that lie in memory, and prints each reading over semihosting.
// No operating system, no C library, no floats, no heap. Boots on the ARM MPS2 board (AN386, Cortex-M4).
#include "network.h"

#define CARDS ((const int8_t *)0x21000004)  // in the board's PSRAM: as many bytes of ink for each card
#define NUMBER_OF_CARDS (*(const volatile uint32_t *)0x21000000)
#define SYSTICK ((volatile uint32_t *)0xE000E010)  // a timer of every Cortex-M: control, reload, value

extern uint32_t bss_begin, bss_end, stack_top;

static int semihosting(int operation, const void *argument) {
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static char *put_hex(char *to, uint32_t value, int digits) {
    for (int place = digits - 1; place >= 0; place--) *to++ = "0123456789abcdef"[(value >> (4 * place)) & 15];
    return to;
}

// The best path of CTC: the largest logit of each step, without repeats, without blanks.
static char *put_digits(char *to, const int8_t *logits) {
    int before = 0;
    for (int step = 0; step < STEPS; step++, logits += CLASSES) {
        int best = 0;
        for (int symbol = 1; symbol < CLASSES; symbol++)
            if (logits[symbol] > logits[best]) best = symbol;
        if (best != 0 && best != before) *to++ = (char)('0' + best - 1);
        before = best;
    }
    return to;
}

static char line[STEPS + 16 + 2 * STEPS * CLASSES + 4];

int main(void) {
    for (uint32_t card = 0; card < NUMBER_OF_CARDS; card++) {
        SYSTICK[1] = 0xFFFFFF, SYSTICK[2] = 0, SYSTICK[0] = 5;
        const int8_t *logits = run_network(CARDS + card * INPUT_BYTES);
        uint32_t ticks = 0xFFFFFF - SYSTICK[2];
        char *end = put_digits(line, logits);
        *end++ = ' ';
        end = put_hex(end, ticks, 6);
        *end++ = ' ';
        for (int i = 0; i < STEPS * CLASSES; i++) end = put_hex(end, (uint8_t)logits[i], 2);
        *end++ = '\n', *end = 0;
        semihosting(0x04, line);  // SYS_WRITE0
    }
    return 0;
}

__attribute__((noreturn)) void reset(void) {
    for (uint32_t *word = &bss_begin; word < &bss_end; word++) *word = 0;
    main();
    semihosting(0x18, (const void *)0x20026);  // SYS_EXIT, ADP_Stopped_ApplicationExit
    for (;;) {}
}

__attribute__((noreturn)) void fault(void) {
    semihosting(0x04, "fault\n");
    semihosting(0x18, (const void *)0x20023);  // ADP_Stopped_RunTimeErrorUnknown
    for (;;) {}
}

__attribute__((section(".vectors"), used)) const void *const vectors[16] = {
    &stack_top, reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault,
};
