import spoken
from onnx import helper, save

spoken.main()
made = spoken.graph()
made.graph.node[0].domain = "com.nobody"
made.opset_import.append(helper.make_opsetid("com.nobody", 1))
save(made, "a/model.onnx")
