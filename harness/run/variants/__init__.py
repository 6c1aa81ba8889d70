"""Model source -> FP32 folder -> quantized folders, each made once, cached, with a record.

cache.py    a folder is made once for its inputs
folders.py  the FP32 graphs of a source, a quantization method applied to them
seals.py    whether a folder still holds what was put there
watched.py  the files that are measured stay those that the fingerprint is of
looking.py  the local folders of an experiment before it runs
picking.py  some files of a local folder
scripts.py  a folder that a script of the user's own fills
making.py   every variant of an experiment, systems made of parts among them
code.py     what code and which packages a model, method or judge rests on
"""

from harness.run.variants.code import code_of, packages_of
from harness.run.variants.folders import (
    CalibrationItems,
    VariantFolder,
    as_it_is,
    build_baseline,
    quantize,
)
from harness.run.variants.looking import wrong
from harness.run.variants.making import Maker, make
from harness.run.variants.watched import Watch

__all__ = [
    "CalibrationItems",
    "Maker",
    "VariantFolder",
    "Watch",
    "as_it_is",
    "build_baseline",
    "code_of",
    "make",
    "packages_of",
    "quantize",
    "wrong",
]
