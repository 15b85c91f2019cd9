"""A BERT student as an ONNX graph that reads its weights where sentence-transformers saved them.

Each tensor of the graph names its place in `model.safetensors` (ONNX's external data), in half
precision, and is widened as the graph is loaded: the weights lie on the disk once.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from embed.encoder import GRAPH, WEIGHTS
from embed.transformer import LAYOUT, LENGTH, layout

_OPSET = 20
_IR = 10
_MASKED = -1e30
"""What is added to the attention that a filling piece would get."""


def write_graph(folder: Path) -> None:
    """Write the graph of a saved BERT, mean pooling included, beside its weights.

    It takes `input_ids` and `attention_mask`, int64 `(texts, pieces)`, and gives `vectors`, float32
    `(texts, dim)`, not yet of unit length. Raises OSError if the folder cannot be read or written.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    tokenizer = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    header, digest = layout(folder / WEIGHTS)
    graph = _Graph(json.loads(header), 8 + len(header), config["layer_norm_eps"])
    _bert(graph, config)
    model = graph.model(config["hidden_size"])
    helper.set_model_props(model, {LAYOUT: digest, LENGTH: str(tokenizer["model_max_length"])})
    (folder / GRAPH).write_bytes(model.SerializeToString())
    onnx.checker.check_model(folder / GRAPH, full_check=True)


def _bert(graph: "_Graph", config: dict[str, Any]) -> None:
    """The layers of Devlin et al. (2019), "BERT", as BertModel of transformers has them."""
    op, number = graph.op, graph.number
    mask = op("Cast", "attention_mask", to=TensorProto.FLOAT)
    hidden = op("Mul", op("Sub", number(1.0), mask), number(_MASKED))
    hidden = op("Unsqueeze", hidden, number([1, 2]))
    state = _pieces(graph)
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}"
        seen = _attention(graph, f"{at}.attention", state, hidden, config["num_attention_heads"])
        state = graph.norm(op("Add", seen, state), f"{at}.attention.output.LayerNorm")
        inner = op("Gelu", graph.linear(state, f"{at}.intermediate.dense"))
        inner = graph.linear(inner, f"{at}.output.dense")
        state = graph.norm(op("Add", inner, state), f"{at}.output.LayerNorm")
    _mean(graph, state, mask)


def _pieces(graph: "_Graph") -> str:
    """What the first layer reads: of each piece, its vector, that of its place, and the kind's."""
    op, number = graph.op, graph.number
    length = op("Squeeze", op("Shape", "input_ids", start=1, end=2))
    order = op("Range", number(0), length, number(1))
    pieces = op("Gather", "embeddings.word_embeddings.weight", "input_ids")
    places = op("Gather", "embeddings.position_embeddings.weight", order)
    kind = op("Gather", "embeddings.token_type_embeddings.weight", number(0))
    return graph.norm(op("Add", op("Add", pieces, places), kind), "embeddings.LayerNorm")


def _attention(graph: "_Graph", at: str, state: str, hidden: str, heads: int) -> str:
    op, number = graph.op, graph.number
    width = graph.width(f"{at}.self.query.weight") // heads

    def split(part: str, perm: list[int]) -> str:
        rows = graph.linear(state, f"{at}.self.{part}")
        return op("Transpose", op("Reshape", rows, number([0, 0, heads, width])), perm=perm)

    near = op("MatMul", split("query", [0, 2, 1, 3]), split("key", [0, 2, 3, 1]))
    near = op("Mul", near, number(width**-0.5))
    shares = op("Softmax", op("Add", near, hidden), axis=-1)
    seen = op("Transpose", op("MatMul", shares, split("value", [0, 2, 1, 3])), perm=[0, 2, 1, 3])
    return graph.linear(op("Reshape", seen, number([0, 0, -1])), f"{at}.output.dense")


def _mean(graph: "_Graph", state: str, mask: str) -> None:
    op, number = graph.op, graph.number
    kept = op("Mul", state, op("Unsqueeze", mask, number([2])))
    sums = op("ReduceSum", kept, number([1]), keepdims=0)
    op("Div", sums, op("ReduceSum", mask, number([1]), keepdims=1), gives="vectors")


class _Graph:
    """The nodes so far, and the tensors they read."""

    def __init__(self, header: dict[str, Any], start: int, epsilon: float) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._tensors: list[TensorProto] = []
        self._header = header
        self._start = start
        self._epsilon = epsilon
        self._widened: set[str] = set()

    def op(self, kind: str, *reads: str, gives: str = "", **options: float | list[int]) -> str:
        """Add a node of one output; gives its name."""
        for name in reads:
            self._widen(name)
        gives = gives or f"{kind}.{len(self._nodes)}"
        node = helper.make_node(kind, reads, [gives])
        node.attribute.extend(helper.make_attribute(*option) for option in options.items())
        self._nodes.append(node)
        return gives

    def number(self, value: float | list[int]) -> str:
        """Add a constant: float32 of a float, int64 of integers."""
        array = np.array(value, np.float32 if isinstance(value, float) else np.int64)
        self._tensors.append(numpy_helper.from_array(array, f"number.{len(self._tensors)}"))
        return str(self._tensors[-1].name)

    def linear(self, rows: str, name: str) -> str:
        turned = self.op("Transpose", f"{name}.weight", perm=[1, 0])
        return self.op("Add", self.op("MatMul", rows, turned), f"{name}.bias")

    def norm(self, rows: str, name: str) -> str:
        gain = f"{name}.weight", f"{name}.bias"
        return self.op("LayerNormalization", rows, *gain, axis=-1, epsilon=self._epsilon)

    def width(self, name: str) -> int:
        """Length of a row of one of the weights."""
        return int(self._header[name]["shape"][-1])

    def model(self, dim: int) -> onnx.ModelProto:
        asked = ("input_ids", "attention_mask")
        integers = TensorProto.INT64
        graph = helper.make_graph(
            self._nodes,
            "bert",
            [helper.make_tensor_value_info(one, integers, ["texts", "pieces"]) for one in asked],
            [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", dim])],
            self._tensors,
        )
        opset = helper.make_opsetid("", _OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=_IR)

    def _widen(self, name: str) -> None:
        """Make a tensor of the weights, the first time it is read, float32 under its own name."""
        if name not in self._header or name in self._widened:
            return
        self._widened.add(name)
        entry = self._header[name]
        begin, end = entry["data_offsets"]
        half = TensorProto(
            name=f"{name}.half",
            data_type=TensorProto.FLOAT16,
            dims=entry["shape"],
            data_location=TensorProto.EXTERNAL,
        )
        place = {"location": WEIGHTS, "offset": self._start + begin, "length": end - begin}
        for key, value in place.items():
            half.external_data.add(key=key, value=str(value))
        self._tensors.append(half)
        self.op("Cast", half.name, gives=name, to=TensorProto.FLOAT)
