"""Bytes of weights that an operator's kernel fetches from Flash, again and again where no cache keeps them.

CMSIS-NN (arm_convolve_s8, arm_nn_mat_mult_nt_t_s8, arm_depthwise_conv_*_s8, arm_nn_vec_mat_mult_t_s8) goes through the
weights of a convolution once for every two output pixels; with a 1x1 kernel it keeps two rows of them for all pixels;
depthwise it goes through them for every pixel; of a dense layer it reads each weight once.
"""

from math import prod

from tinynas.tflite.graph import Graph, Operator, tensor_at
from tinynas.tflite.window import nhwc

_LAYERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def weight_reads(graph: Graph, operator: Operator, cache_bytes: int) -> int:
    """Bytes of weights fetched for one inference of `operator`, where a cache of `cache_bytes` keeps what it can."""
    weights = tensor_at(graph, operator, 1)
    if operator.name not in _LAYERS or weights is None:
        return 0
    size = prod(weights.shape)  # int8: a byte each
    pixels = prod(nhwc(graph.tensors[operator.outputs[0]].shape)[:3])
    if operator.name == "FULLY_CONNECTED":
        return size * (prod(graph.tensors[operator.outputs[0]].shape) // weights.shape[0])
    if operator.name == "DEPTHWISE_CONV_2D":
        return size if size <= cache_bytes else size * pixels
    kept = 2 * weights.shape[3] if weights.shape[1:3] == (1, 1) else size
    return size if kept <= cache_bytes else size * -(-pixels // 2)
