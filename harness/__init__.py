"""Tells whether a quantized ONNX speech model may replace the original, and proves it."""
