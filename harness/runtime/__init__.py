"""The machine, onnxruntime and ONNX files: what a run depends on and cannot choose."""
