# The last layer of the network in Mojo: hidden [steps, 128] times weights [128, 11], and the best symbol a step.
from std.memory import UnsafePointer
