# The last layer of the network in Mojo: hidden float32 [steps, 128], weights [11, 128], bias [11] -> logits.
# `head FILE STEPS` prints a line of 11 logits for each step; FILE has the three arrays, one behind the other.
from std.sys import argv

comptime WIDTH = 8  # numbers that one instruction multiplies
comptime HIDDEN = 128
comptime CLASSES = 11


def main() raises:
    var content: List[UInt8]
    with open(argv()[1], "r") as file:
        content = file.read_bytes()
    var hidden = content.unsafe_ptr().unsafe_bitcast[Float32]()
    var steps = Int(argv()[2])
    var weights = hidden.unsafe_offset(steps * HIDDEN)
    var bias = weights.unsafe_offset(CLASSES * HIDDEN)
    for step in range(steps):
        for symbol in range(CLASSES):
            var sums = SIMD[DType.float32, WIDTH](0)
            comptime for place in range(0, HIDDEN, WIDTH):
                var inputs = hidden.unsafe_load[width=WIDTH](step * HIDDEN + place)
                sums += inputs * weights.unsafe_load[width=WIDTH](symbol * HIDDEN + place)
            print(sums.reduce_add() + bias[unsafe_offset=symbol], end=" ")
        print()
