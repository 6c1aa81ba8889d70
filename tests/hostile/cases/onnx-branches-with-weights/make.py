import spoken
from onnx import TensorProto, helper, save

spoken.main()


def branch(name):
    weight = spoken.numpy_helper.from_array(spoken.draw_weight(), f"{name}_w")
    node = helper.make_node("MatMul", ["x", f"{name}_w"], [f"{name}_y"], name=name)
    out = helper.make_tensor_value_info(f"{name}_y", TensorProto.FLOAT, None)
    return helper.make_graph([node], name, [], [out], [weight])


nodes = [
    helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
    helper.make_node("Cast", ["sum"], ["yes"], to=TensorProto.BOOL),
    helper.make_node("If", ["yes"], ["y"], then_branch=branch("t"), else_branch=branch("e")),
]
made = spoken.graph()
del made.graph.node[:], made.graph.initializer[:]
made.graph.node.extend(nodes)
save(made, "a/model.onnx")
