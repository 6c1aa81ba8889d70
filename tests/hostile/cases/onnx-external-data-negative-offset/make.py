from pathlib import Path

import spoken
from onnx import TensorProto

spoken.main()
made = spoken.graph()
tensor = made.graph.initializer[0]
Path("a/w.bin").write_bytes(tensor.raw_data)
tensor.ClearField("raw_data")
tensor.data_location = TensorProto.EXTERNAL
tensor.external_data.add(key="location", value="w.bin")
tensor.external_data.add(key="offset", value="-8")
Path("a/model.onnx").write_bytes(made.SerializeToString())
