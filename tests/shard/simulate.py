"""N rank models in lock step on onnxruntime: each is cut at its collectives, and the pieces run one after the other."""

import numpy
import onnx
import onnxruntime
from onnx import helper

from states import reduce_parts

SEVERITY_FATAL = 4


def session(model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = SEVERITY_FATAL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def is_collective(node):
    return node.op_type == "DistCollective"


def attributes_of(node):
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def collective(node, sent):
    """What every rank receives."""
    attributes = attributes_of(node)
    operation, reduce = attributes["collective_operation"].decode(), attributes["reduce_op"].decode()
    parts = len(sent)
    if attributes["nb_rank"] != parts:
        raise ValueError(f"'{node.name}': nb_rank is {attributes['nb_rank']}, there are {parts}")
    if operation == "all_reduce":
        return [reduce_parts(sent, reduce)] * parts
    if operation == "all_gather":
        return [numpy.concatenate(sent, 0)] * parts
    if operation == "reduce_scatter":
        return list(numpy.split(reduce_parts(sent, reduce), parts, 0))
    if operation == "all_to_all":
        blocks = [numpy.split(x, parts, 0) for x in sent]
        return [numpy.concatenate([blocks[source][rank] for source in range(parts)], 0) for rank in range(parts)]
    raise ValueError(f"'{node.name}': no collective '{operation}' here")


class Stage:
    """The nodes between two collectives as a model of its own, made when the types of its inputs are known."""

    def __init__(self, rank_model, nodes, keep):
        made = {name for node in nodes for name in node.output if name}
        read = list(dict.fromkeys(name for node in nodes for name in reads(node)))
        initializers = {t.name: t for t in rank_model.graph.initializer}
        self.inputs = [name for name in read if name not in made and name not in initializers]
        self.outputs = [name for node in nodes for name in node.output if name and name in keep]
        self._rank_model = rank_model
        self._nodes = nodes
        self._held = [initializers[name] for name in read if name in initializers]
        self._session = None

    def _load(self, values):
        def typed(name):
            return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(values[name].dtype), None)

        graph = helper.make_graph(self._nodes, "stage", [typed(name) for name in self.inputs],
                                  [onnx.ValueInfoProto(name=name) for name in self.outputs], self._held)
        imports = [o for o in self._rank_model.opset_import if o.domain != "tessera"]
        return session(helper.make_model(graph, opset_imports=imports, functions=self._rank_model.functions,
                                         ir_version=min(self._rank_model.ir_version, 12)))

    def run(self, values):
        if not self.outputs:
            return
        if self._session is None:
            self._session = self._load(values)
        results = self._session.run(self.outputs, {name: values[name] for name in self.inputs})
        values.update(zip(self.outputs, map(numpy.asarray, results)))


def reads(node):
    """The values that a node reads, those of its subgraphs' that come from outside included."""
    names = [name for name in node.input if name]
    for attribute in node.attribute:
        graphs = [attribute.g] if attribute.HasField("g") else attribute.graphs
        for graph in graphs:
            inner = {v.name for v in graph.input} | {t.name for t in graph.initializer}
            inner |= {name for n in graph.node for name in n.output}
            names += [name for n in graph.node for name in reads(n) if name not in inner]
            names += [o.name for o in graph.output if o.name not in inner]
    return names


class Ranks:
    """Loaded rank models. `trace`: run() gives every value, not only the outputs."""

    def __init__(self, models, trace=False):
        self.models = models
        first = models[0]
        stage_of = {}
        self.plan = {}
        for i, node in enumerate(first.graph.node):
            stage = max((stage_of.get(name, 0) for name in reads(node)), default=0)
            self.plan.setdefault(stage, []).append(i)
            for name in node.output:
                stage_of[name] = stage + is_collective(node)
        keep = {o.name for o in first.graph.output}
        for i, node in enumerate(first.graph.node):
            stage = max((stage_of.get(name, 0) for name in reads(node)), default=0)
            keep |= {n for n in reads(node) if stage_of.get(n, 0) < stage or is_collective(node)}
        if trace:
            keep |= {name for node in first.graph.node for name in node.output if name}
        self.stages = [self._stages(model, keep) for model in models]

    def _stages(self, model, keep):
        nodes = model.graph.node
        return {stage: Stage(model, [nodes[i] for i in places if not is_collective(nodes[i])], keep)
                for stage, places in sorted(self.plan.items())}

    def run(self, inputs):
        """inputs: a dict a rank. Gives a dict of values a rank."""
        values = [dict(x) for x in inputs]
        for rank, model in enumerate(self.models):
            values[rank].update((t.name, onnx.numpy_helper.to_array(t)) for t in model.graph.initializer)
        for stage, places in sorted(self.plan.items()):
            for rank, stages in enumerate(self.stages):
                stages[stage].run(values[rank])
            for i in places:
                nodes = [model.graph.node[i] for model in self.models]
                if not is_collective(nodes[0]):
                    continue
                received = collective(nodes[0], [v[n.input[0]] for v, n in zip(values, nodes)])
                for v, node, value in zip(values, nodes, received):
                    v[node.output[0]] = numpy.asarray(value)
        return values


def whole(model, trace=False):
    """A function that runs the unsharded model: inputs -> values."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    if trace:
        known = {o.name for o in model.graph.output}
        for node in model.graph.node:
            model.graph.output.extend(onnx.ValueInfoProto(name=n) for n in node.output if n and n not in known)
    model.ir_version = min(model.ir_version, 12)
    run = session(model)
    names = [o.name for o in run.get_outputs()]
    return lambda inputs: dict(zip(names, run.run(names, inputs)))
