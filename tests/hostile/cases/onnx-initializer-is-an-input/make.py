import spoken
from onnx import save

spoken.main()
save(spoken.graph(ir=3, opset=11, as_inputs=True), "a/model.onnx")
