"""Model source -> FP32 folder -> quantized folders, each made once, cached, with a record.

cache.py    a folder is made once for its inputs
folders.py  the FP32 graphs of a source, a quantization method applied to them
making.py   every variant of an experiment, systems made of parts among them
code.py     what code and which packages a model, method or judge rests on
"""

from harness.variants.code import code_of, packages_of
from harness.variants.folders import (
    Calibration,
    VariantFolder,
    as_it_is,
    build_baseline,
    quantize,
)
from harness.variants.making import Maker, make

__all__ = [
    "Calibration",
    "Maker",
    "VariantFolder",
    "as_it_is",
    "build_baseline",
    "code_of",
    "make",
    "packages_of",
    "quantize",
]
