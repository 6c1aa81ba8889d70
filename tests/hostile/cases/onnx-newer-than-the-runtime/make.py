import spoken
from onnx import save

spoken.main()
made = spoken.graph()
made.ir_version = 99
save(made, "a/model.onnx")
