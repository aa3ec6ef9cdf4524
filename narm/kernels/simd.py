"""Explicit vectors for numba kernels: eight lanes of float32 or float64 that live in registers.

LLVM vectorises simple loops by itself, but it keeps no blocks of accumulators in registers (which products
need), gives up where many arrays might overlap (gradients), and has no vector exponential without Intel's
SVML. Kernels therefore say what they mean with a few operations on vectors; LLVM maps eight lanes to whatever
registers the machine has.

Arrays, or pointers into them, are addressed by a flat element index and must be C-contiguous. Nothing checks
the bounds.
"""

# mypy: disable-error-code="no-untyped-call"
# (numba's own functions carry no types)

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, models, register_model

from narm.kernels.compile import inner

LANES = 8


def _operation(generator: Callable[..., Any]) -> Any:
    """numba's `intrinsic`, without the typing context in the signature that type checkers see."""
    return intrinsic(generator)


class Vector(types.Type):
    """numba's type of a vector of `LANES` floating-point numbers."""

    def __init__(self, element: types.Float) -> None:
        self.element = element
        super().__init__(name=f"Vector({element})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Vector) -> None:
        element = ir.FloatType() if vector.element == types.float32 else ir.DoubleType()
        super().__init__(manager, vector, ir.VectorType(element, LANES))


def _address(context: Any, builder: Any, source_type: Any, source: Any, index: Any) -> Any:
    """The address of an element of a contiguous array, or of what a pointer points to."""
    if isinstance(source_type, types.Array):
        source = context.make_array(source_type)(context, builder, source).data
    return builder.gep(source, [index])


@_operation
def pointer(typing: Any, array: Any, index: Any) -> Any:
    """The address of element `index` of a contiguous array or a pointer. Unlike arrays it counts no references."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _address(context, builder, signature.args[0], *arguments)

    return types.CPointer(array.dtype)(array, types.intp), generate


@_operation
def load(typing: Any, array: Any, index: Any) -> Any:
    """The vector that starts at element `index` of a contiguous array or a pointer."""
    vector = Vector(array.dtype)  # a pointer has a dtype, too

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, signature.args[0], *arguments)
        address = builder.bitcast(address, context.get_value_type(vector).as_pointer())
        return builder.load(address, align=vector.element.bitwidth // 8)

    return vector(array, types.intp), generate


@_operation
def store(typing: Any, array: Any, index: Any, vector: Any) -> Any:
    """Write a vector from element `index` of a contiguous array or a pointer on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, position, value = arguments
        address = _address(context, builder, signature.args[0], target, position)
        address = builder.bitcast(address, value.type.as_pointer())
        builder.store(value, address, align=vector.element.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), generate


def _splat(context: Any, builder: Any, vector: Vector, scalar: Any) -> Any:
    llvm_type = context.get_value_type(vector)
    one = builder.insert_element(ir.Constant(llvm_type, ir.Undefined), scalar, cgutils.int32_t(0))
    lanes = ir.Constant(ir.VectorType(cgutils.int32_t, LANES), [0] * LANES)
    return builder.shuffle_vector(one, ir.Constant(llvm_type, ir.Undefined), lanes)


@_operation
def splat(typing: Any, scalar: Any) -> Any:
    """The vector with one scalar in all lanes."""
    vector = Vector(scalar)
    return vector(scalar), lambda context, builder, _, arguments: _splat(context, builder, vector, arguments[0])


@_operation
def like(typing: Any, vector: Any, number: Any) -> Any:
    """The vector of the same type as `vector` with the number in all lanes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        scalar = context.cast(builder, arguments[1], types.float64, vector.element)
        return _splat(context, builder, vector, scalar)

    return vector(vector, types.float64), generate


@_operation
def fma(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c, in one instruction where the machine has it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _llvm_call(builder, "llvm.fmuladd", arguments)

    return a(a, a, a), generate


@_operation
def nearest(typing: Any, a: Any) -> Any:
    """Round to the nearest integer, halves to even."""
    return a(a), lambda context, builder, _, arguments: _llvm_call(builder, "llvm.rint", arguments)


@_operation
def clamp(typing: Any, a: Any, bound: Any) -> Any:
    """Limit to [-bound, bound]; NaN stays NaN."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value, limit = arguments
        low = builder.fneg(limit)
        value = builder.select(builder.fcmp_ordered(">", value, limit), limit, value)
        return builder.select(builder.fcmp_ordered("<", value, low), low, value)

    return a(a, a), generate


@_operation
def within(typing: Any, a: Any, bound: Any) -> Any:
    """Whether all lanes have a magnitude of at most `bound`; a NaN does not."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        size = _llvm_call(builder, "llvm.fabs", arguments[:1])
        lanes = builder.fcmp_ordered("<=", size, arguments[1])
        bits = builder.bitcast(lanes, ir.IntType(LANES))
        return builder.icmp_unsigned("==", bits, ir.Constant(bits.type, -1))

    return types.boolean(a, a), generate


@_operation
def above(typing: Any, a: Any, b: Any) -> Any:
    """Whether any lane of `a` is larger than that of `b`; a NaN is not."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = builder.fcmp_ordered(">", *arguments)
        bits = builder.bitcast(lanes, ir.IntType(LANES))
        return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    return types.boolean(a, b), generate


@_operation
def total(typing: Any, a: Any) -> Any:
    """The sum of the lanes, added pairwise."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = arguments[0]
        width = LANES
        while width > 1:
            width //= 2
            undefined = ir.Constant(value.type, ir.Undefined)
            halves = [
                builder.shuffle_vector(
                    value,
                    undefined,
                    ir.Constant(ir.VectorType(cgutils.int32_t, width), list(range(start, start + width))),
                )
                for start in (0, width)
            ]
            value = builder.fadd(*halves)
        return builder.extract_element(value, cgutils.int32_t(0))

    return a.element(a), generate


@_operation
def power_of_two(typing: Any, a: Any) -> Any:
    """2 ** a for integral a in the range of normal numbers: a's bits become the exponent."""
    bits, bias, mantissa = (32, 127, 23) if a.element == types.float32 else (64, 1023, 52)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        integers = ir.VectorType(ir.IntType(bits), LANES)
        exponent = builder.fptosi(arguments[0], integers)
        exponent = builder.add(exponent, ir.Constant(integers, [bias] * LANES))
        exponent = builder.shl(exponent, ir.Constant(integers, [mantissa] * LANES))
        return builder.bitcast(exponent, context.get_value_type(a))

    return a(a), generate


def _llvm_call(builder: Any, name: str, arguments: Any) -> Any:
    suffix = "f32" if isinstance(arguments[0].type.element, ir.FloatType) else "f64"
    vector = arguments[0].type
    function_type = ir.FunctionType(vector, [vector] * len(arguments))
    function = cgutils.get_or_insert_function(builder.module, function_type, f"{name}.v{LANES}{suffix}")
    return builder.call(function, arguments)


def _declare_operator(symbol: Callable[[Any, Any], Any], instruction: str) -> None:
    @infer_global(symbol)
    class Template(AbstractTemplate):
        def generic(self, arguments: Any, keywords: Any) -> Any:
            if len(arguments) == 2 and isinstance(arguments[0], Vector) and arguments[0] == arguments[1]:
                return signature(arguments[0], *arguments)
            return None

    @lower_builtin(symbol, Vector, Vector)
    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return getattr(builder, instruction)(*arguments)


_declare_operator(operator.add, "fadd")
_declare_operator(operator.sub, "fsub")
_declare_operator(operator.mul, "fmul")
_declare_operator(operator.truediv, "fdiv")
for _in_place, _instruction in ((operator.iadd, "fadd"), (operator.isub, "fsub"), (operator.imul, "fmul")):
    _declare_operator(_in_place, _instruction)


@_operation
def _expm1_near_zero(typing: Any, r: Any) -> Any:
    """e ** r - 1 for |r| <= ln 2 / 2 by Taylor's polynomial, whose next term is below the rounding error."""
    degree = 7 if r.element == types.float32 else 13

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x = arguments[0]

        def coefficient(power: int) -> Any:
            return ir.Constant(x.type, [1 / math.factorial(power)] * LANES)

        value = coefficient(degree)
        for power in range(degree - 1, 0, -1):  # Horner's scheme
            value = _llvm_call(builder, "llvm.fmuladd", [value, x, coefficient(power)])
        return builder.fmul(value, x)

    return r(r), generate


@inner
def _expm1_and_scale(x: Any) -> Any:
    """(e ** r - 1, 2 ** n) with x = n ln 2 + r."""
    n = nearest(x * like(x, 1 / math.log(2)))
    # ln 2 in two parts, the first with so few bits that its multiple is exact
    r = fma(n, like(x, -0.693359375), x)
    r = fma(n, like(x, 2.1219444005469058e-4), r)
    return _expm1_near_zero(r), power_of_two(n)


@inner
def exp(x: Any) -> Any:
    """e ** x for |x| <= 87, to 1e-7 in float32 and 1e-15 in float64; a NaN stays one."""
    expm1, scale = _expm1_and_scale(x)
    return fma(scale, expm1, scale)


@inner
def sigmoid(x: Any) -> Any:
    """1 / (1 + e ** -x), to 2e-7 in float32; beyond |x| = 60 as at 60, which spares denormals."""
    one = like(x, 1.0)
    return one / (one + exp(clamp(like(x, 0.0) - x, like(x, 60.0))))


@inner
def tanh(x: Any) -> Any:
    """(e ** 2x - 1) / (e ** 2x + 1), to 3e-7 in float32 also near zero, where 1 - 2 / (e ** 2x + 1) is not."""
    expm1, scale = _expm1_and_scale(clamp(x + x, like(x, 60.0)))
    expm1 = fma(scale, expm1, scale - like(x, 1.0))
    return expm1 / (expm1 + like(x, 2.0))
