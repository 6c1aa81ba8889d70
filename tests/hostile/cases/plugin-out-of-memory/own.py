"""Own."""
import numpy
numpy.zeros(2 ** 62, dtype='int8')
