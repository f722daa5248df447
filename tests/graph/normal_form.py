"""Two ONNX models mean the same when their normal forms are equal: what reading and writing may change is undone."""

from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper


def default_domain(domain):
    return "" if domain == "ai.onnx" else domain


def tensor_form(tensor):
    """Type, shape and bytes, whichever field holds them; then everything else."""
    rest = TensorProto()
    rest.CopyFrom(tensor)
    fields = ["name", "dims", "data_type", "raw_data", "string_data", "data_location", "external_data"]
    for field in fields + [f"{kind}_data" for kind in ("float", "double", "int32", "int64", "uint64")]:
        rest.ClearField(field)
    array = numpy_helper.to_array(tensor)
    content = array.tolist() if tensor.data_type == TensorProto.STRING else array.tobytes()
    return tensor.data_type, tuple(tensor.dims), content, rest.SerializeToString(deterministic=True)


def attribute_form(attribute):
    rest = AttributeProto()
    rest.CopyFrom(attribute)
    if attribute.type != AttributeProto.TENSOR:
        return rest.SerializeToString(deterministic=True)
    rest.ClearField("t")
    # A tensor's own name says nothing inside an attribute.
    return rest.SerializeToString(deterministic=True), tensor_form(attribute.t)


def constant_of(node):
    """The tensor that a Constant node stands for, or None."""
    if node.op_type != "Constant" or default_domain(node.domain) or len(node.attribute) != 1:
        return None
    attribute = node.attribute[0]
    value = helper.get_attribute_value(attribute)
    kind = {
        "value_int": TensorProto.INT64,
        "value_ints": TensorProto.INT64,
        "value_float": TensorProto.FLOAT,
        "value_floats": TensorProto.FLOAT,
        "value_string": TensorProto.STRING,
        "value_strings": TensorProto.STRING,
    }.get(attribute.name)
    tensor = TensorProto()
    if attribute.name == "value":
        tensor.CopyFrom(value)
    elif kind is not None:
        many = attribute.name.endswith("s")
        tensor = helper.make_tensor("", kind, [len(value)] if many else [], value if many else [value])
    else:
        return None
    tensor.doc_string = tensor.doc_string or node.doc_string
    tensor.metadata_props.extend(node.metadata_props)
    if not tensor.doc_string:
        tensor.ClearField("doc_string")
    return tensor


def node_form(node):
    rest = NodeProto()
    rest.CopyFrom(node)
    rest.domain = default_domain(node.domain)
    if not rest.domain:
        rest.ClearField("domain")
    if not rest.name:
        rest.ClearField("name")
    rest.ClearField("attribute")
    attributes = [attribute_form(attribute) for attribute in node.attribute]
    return rest.SerializeToString(deterministic=True), attributes


def info_form(info):
    """A dimension without a value or with a negative one is unknown."""
    shape = info.type.tensor_type.shape if info.type.HasField("tensor_type") else None
    for dim in shape.dim if shape else []:
        if dim.HasField("dim_value") and dim.dim_value < 0 or dim.HasField("dim_param") and not dim.dim_param:
            dim.ClearField("value")
    return info.SerializeToString(deterministic=True)


def names_in(nodes):
    """All names that nodes read, at any depth."""
    for node in nodes:
        yield from node.input
        for attribute in node.attribute:
            for graph in [attribute.g, *attribute.graphs]:
                yield from names_in(graph.node)
                yield from (output.name for output in graph.output)


def normal_form(original):
    model = ModelProto()
    model.CopyFrom(original)
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        tensor = constant_of(node)
        if tensor is None:
            nodes.append(node)
        else:
            constants[node.output[0]] = tensor
    inputs = {info.name: info_form(info) for info in graph.input if info.name not in constants}
    overridable = {info.name for info in graph.input if info.name in constants}
    outputs = [info_form(info) for info in graph.output]
    known = set(inputs) | {info.name for info in graph.output} | set(constants)
    read = set(names_in(nodes)) | {info.name for info in graph.output} | overridable
    form = {
        "opsets": {default_domain(entry.domain): entry.version for entry in model.opset_import},
        "nodes": [node_form(node) for node in nodes],
        "inputs": inputs,
        "overridable": overridable if model.ir_version >= 4 else set(),
        "outputs": outputs,
        "constants": {name: tensor_form(tensor) for name, tensor in constants.items() if name in read},
        "value_info": {info.name: info_form(info) for info in graph.value_info if info.name not in known},
    }
    for field in ["node", "initializer", "input", "output", "value_info"]:
        graph.ClearField(field)
    model.ClearField("opset_import")
    form["rest"] = model.SerializeToString(deterministic=True)
    return form
