"""Signal-to-quantization-noise ratio of an output: 10 log10 (sum r^2 / sum (y - r)^2), in dB.

The same as the output error, in decibels (20 dB is an error of 10 %): B. Widrow and I. Kollar,
Quantization Noise, 2008, 1.1. At most 144 dB, half the spacing of float32: the same output.
"""

from __future__ import annotations

from harness.plugins.metrics._outputs import outputs, sums

metric = outputs(
    unit="dB",
    better="higher",
    measure=sums("noise", "signal"),
    scale="decibels",
    worst=0.0,
    best=145.0,
    title={"en": "SQNR", "es": "SQNR"},
    order=20,
)
