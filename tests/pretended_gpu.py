"""A device that is not the CPU, for machines without a GPU: its memory is the CPU's, its manners are those of a GPU.

Arrays refuse, as CuPy's do, what mixes them with NumPy's; tensors refuse, as CUDA's do, what mixes them with those of the
CPU; and Thinc's kernels want the types that those of CuPy want. So code that passes here moves everything where it belongs.
It says nothing about speed, memory, bfloat16 or the kernels themselves.
"""

import operator
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import ModuleType
from typing import Any, Optional

import numpy
import thinc.backends
import thinc.util
import torch
from thinc.api import Ops, get_current_ops, set_current_ops
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

# What CuPy has (looked up in 14.2) of what runs on the device here and in Thinc; whatever is new has to be looked up.
FUNCTIONS = frozenset(
    """abs add arange array asarray ascontiguousarray concatenate cumsum diff dot empty exp flatnonzero full
    lib.stride_tricks.as_strided linalg.norm load log log1p matmul max maximum moveaxis multiply ones random.uniform save
    split sqrt stack sum take_along_axis tanh tile where zeros zeros_like""".split()
)
MODULES = frozenset(("lib", "lib.stride_tricks", "linalg", "random"))
METHODS = frozenset("any argmax astype copy cumsum max mean ravel repeat reshape sum swapaxes transpose".split())
# These take arrays of NumPy's: to copy them to the device, as places where to cut, or to write them to a file.
FROM_CPU = frozenset(("array", "asarray", "split", "save"))
ATTRIBUTES = frozenset("dtype flags ndim shape size strides".split())


class Mixed(RuntimeError):
    """Something of the CPU met something of the device."""


class DeviceArray:
    """An array in the manner of `cupy.ndarray`, around one of NumPy's."""

    __array_ufunc__ = None  # NumPy's arrays leave operators to this class

    def __init__(self, array: Any) -> None:
        self._array = array

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise Mixed("Implicit conversion to a NumPy array is not allowed")

    def get(self) -> Any:
        return self._array.copy()

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[Any]:
        return iter([_wrap(item) for item in self._array])

    def __getitem__(self, index: Any) -> Any:
        return _wrap(self._array[_index(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self._array[_index(index)] = _unwrap(value)

    def __getattr__(self, name: str) -> Any:
        if name in ATTRIBUTES:
            return getattr(self._array, name)
        if name == "T":
            return DeviceArray(self._array.T)
        if name in METHODS:
            return _on_device(getattr(self._array, name))
        raise AttributeError(name)

    def __int__(self) -> int:
        return int(self._array)

    def __index__(self) -> int:
        return operator.index(self._array)

    def __float__(self) -> float:
        return float(self._array)

    def __bool__(self) -> bool:
        return bool(self._array)


def _add_operators() -> None:
    def forward(function: Callable) -> Callable:
        return lambda self, other: _wrap(function(self._array, _unwrap(other)))

    def reverse(function: Callable) -> Callable:
        return lambda self, other: _wrap(function(_unwrap(other), self._array))

    def in_place(function: Callable) -> Callable:
        def change(self: DeviceArray, other: Any) -> DeviceArray:
            self._array = function(self._array, _unwrap(other))
            return self

        return change

    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or"):
        function = getattr(operator, f"__{name}__")
        setattr(DeviceArray, f"__{name}__", forward(function))
        setattr(DeviceArray, f"__r{name}__", reverse(function))
        setattr(DeviceArray, f"__i{name}__", in_place(getattr(operator, f"__i{name}__")))
    for name in ("lt", "le", "gt", "ge", "eq", "ne"):
        setattr(DeviceArray, f"__{name}__", forward(getattr(operator, name)))
    DeviceArray.__neg__ = lambda self: DeviceArray(-self._array)
    DeviceArray.__invert__ = lambda self: DeviceArray(~self._array)


_add_operators()


def _unwrap(value: Any, *, strict: bool = True) -> Any:
    """NumPy's form of arguments; what is on the CPU is an error where that is strict."""
    if isinstance(value, DeviceArray):
        return value._array
    if isinstance(value, (list, tuple)):
        return type(value)(_unwrap(item, strict=strict) for item in value)
    if isinstance(value, _Function):
        return value.function
    if isinstance(value, torch.Tensor) or strict and isinstance(value, numpy.ndarray):
        raise Mixed(f"Unsupported type {type(value)}")
    return value


def _wrap(value: Any) -> Any:
    if isinstance(value, (numpy.ndarray, numpy.generic)):
        return DeviceArray(numpy.asarray(value))
    return [_wrap(item) for item in value] if isinstance(value, list) else value


def _index(index: Any) -> Any:
    """CuPy copies index arrays of NumPy's to the device, and takes a mask only by itself."""
    parts = index if isinstance(index, tuple) else (index,)
    arrays = [part for part in parts if isinstance(part, (DeviceArray, numpy.ndarray)) and part.ndim]
    if any(isinstance(part, list) for part in parts) or len(arrays) > 1 and any(a.dtype == bool for a in arrays):
        raise Mixed(f"CuPy takes no such index: {index}")
    return _unwrap(index, strict=False)


def _on_device(function: Callable, *, strict: bool = True) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        kwargs = {name: _unwrap(value, strict=strict) for name, value in kwargs.items()}
        return _wrap(function(*(_unwrap(value, strict=strict) for value in args), **kwargs))

    return call


class _Function:
    """A function of NumPy's, over arrays of the device."""

    def __init__(self, name: str, function: Any) -> None:
        self.function = function
        self._call = _on_device(function, strict=name not in FROM_CPU)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)


class _Module:
    """In the place of `cupy`."""

    ndarray = DeviceArray
    float32, float64, int32, int64 = numpy.float32, numpy.float64, numpy.int32, numpy.int64

    def __init__(self, module: ModuleType = numpy, prefix: str = "") -> None:
        self._module, self._prefix = module, prefix

    def __getattr__(self, name: str) -> Any:
        full = self._prefix + name
        if full in MODULES:
            return _Module(getattr(self._module, name), f"{full}.")
        if full in FUNCTIONS:
            return _Function(full, getattr(self._module, name))
        raise AttributeError(f"Is it in CuPy? {full}")


class PretendedOps(Ops):
    """In the place of `CupyOps`."""

    name = "pretended"
    xp = _Module()

    def __init__(self, device_type: Any = "gpu", device_id: int = 0, **kwargs: Any) -> None:
        self.device_type, self.device_id = device_type, device_id

    def to_numpy(self, data: Any, *, byte_order: Optional[str] = None) -> Any:
        array = data if isinstance(data, numpy.ndarray) else data.get()
        return array.astype(array.dtype.newbyteorder(byte_order)) if byte_order else array

    def asarray(self, data: Any, dtype: Any = None) -> Any:
        data = torch2xp(data) if isinstance(data, torch.Tensor) else data
        return (
            self.xp.asarray(data, dtype=dtype) if isinstance(data, DeviceArray) else self.xp.array(data, dtype=dtype)
        )

    def gemm(self, x: Any, y: Any, out: Any = None, trans1: bool = False, trans2: bool = False) -> Any:
        product = self.xp.dot(x.T if trans1 else x, y.T if trans2 else y)
        if out is None:
            return product
        out[:] = product
        return out

    def scatter_add(self, table: Any, indices: Any, values: Any) -> Any:
        numpy.add.at(table._array, _unwrap(indices, strict=False), _unwrap(values))
        return table

    def adam(self, weights: Any, gradient: Any, mom1: Any, mom2: Any, *args: Any, **kwargs: Any) -> Any:
        if len({array.dtype for array in (weights, gradient, mom1, mom2)}) > 1:
            raise Mixed(f"A gradient of {gradient.dtype} for weights of {weights.dtype}")
        return super().adam(weights, gradient, mom1, mom2, *args, **kwargs)

    def reduce_mean(self, X: Any, lengths: Any) -> Any:
        _check_kernel(X, lengths)
        return super().reduce_mean(X, lengths)

    def backprop_reduce_mean(self, d_means: Any, lengths: Any) -> Any:
        _check_kernel(d_means, lengths)
        return super().backprop_reduce_mean(d_means, lengths)


def _check_kernel(array: Any, lengths: Any) -> None:
    """Thinc's kernels read memory as it lies, and return nothing for lengths of another type."""
    if not (array.dtype == "float32" and array.flags.c_contiguous and lengths.dtype == "int32"):
        raise Mixed(f"No kernel for {array.dtype}, {array.flags}, lengths of {lengths.dtype}")


# A device without memory of its own, which torch knows everywhere.
DEVICE = torch.device("meta")
_aten: Any = torch.ops.aten
# These take tensors of both devices, the first two to copy between them, the others as index.
_COPIES = frozenset((_aten._to_copy.default, _aten.copy_.default))
_INDEXED = frozenset((_aten.index.Tensor, _aten.index_put_.default, _aten._index_put_impl_.default))
_TO_CPU = frozenset((_aten._local_scalar_dense.default, _aten.equal.default))


class DeviceTensor(torch.Tensor):
    """A tensor in the manner of CUDA's, around one of the CPU."""

    @staticmethod
    def __new__(cls, tensor: torch.Tensor) -> "DeviceTensor":
        kind: dict[str, Any] = {"dtype": tensor.dtype, "layout": tensor.layout, "device": DEVICE}
        if tensor.layout == torch.strided:
            kind |= {"strides": tensor.stride(), "storage_offset": tensor.storage_offset()}
        with torch.inference_mode(False):  # where a view of a tensor from outside could not be wrapped
            made = torch.Tensor._make_wrapper_subclass(cls, tensor.size(), **kind)
        made.tensor = tensor
        return made

    def tolist(self) -> Any:
        return self.tensor.tolist()

    def __repr__(self, **kwargs: Any) -> str:
        return f"{self.tensor!r} on {DEVICE}"

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _dispatch(function, args, kwargs or {})


class _Dispatch(TorchDispatchMode):
    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _dispatch(function, args, kwargs or {})


def _dispatch(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    tensors = [value for value in tree_flatten((args, kwargs))[0] if isinstance(value, torch.Tensor)]
    on_device = [tensor for tensor in tensors if isinstance(tensor, DeviceTensor)]
    others = [tensor for tensor in tensors if tensor.dim() and not isinstance(tensor, DeviceTensor)]
    may_mix = function in _COPIES or function in _INDEXED and isinstance(args[0], DeviceTensor)
    if on_device and others and not may_mix:
        raise Mixed(f"{function}: Expected all tensors to be on the same device")
    wanted = kwargs.get("device")
    args, kwargs = tree_map(lambda x: x.tensor if isinstance(x, DeviceTensor) else x, (args, kwargs))
    result = function(*args, **(kwargs if wanted is None else {**kwargs, "device": "cpu"}))
    stays = bool(on_device) if wanted is None else torch.device(wanted).type == DEVICE.type
    if function is _aten.copy_.default:
        stays = any(tensors[0] is tensor for tensor in on_device)
    if not stays or function in _TO_CPU:
        return result
    known = {id(tensor.tensor): tensor for tensor in on_device}  # what is changed in place stays what it is

    def on_the_device(value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return value
        return known[id(value)] if id(value) in known else DeviceTensor(value)

    return tree_map(on_the_device, result)


def xp2torch(array: Any, requires_grad: bool = False, device: Any = None) -> torch.Tensor:
    """In the place of Thinc's."""
    on_device = isinstance(array, DeviceArray)
    tensor = DeviceTensor(torch.from_numpy(array._array)) if on_device else torch.from_numpy(array)
    return tensor.to(DEVICE if device is None else device).requires_grad_(requires_grad)


def torch2xp(tensor: torch.Tensor, *, ops: Optional[Ops] = None) -> Any:
    """In the place of Thinc's."""
    tensor = tensor.detach()
    if isinstance(tensor, DeviceTensor):
        return DeviceArray(tensor.tensor.numpy())
    return tensor.numpy() if ops is None else ops.asarray(tensor.numpy())


@contextmanager
def pretended_gpu() -> Iterator[None]:
    """Make the pretended device the one that Thinc, and so spaCy, computes on."""
    tensor_from_data, autocast = torch.tensor, torch.autocast
    replaced: dict[str, Any] = {
        "xp2torch": xp2torch,
        "torch2xp": torch2xp,
        "get_torch_default_device": lambda: DEVICE,
        "is_torch_cuda_array": lambda value: isinstance(value, DeviceTensor),
        "is_cupy_array": lambda value: isinstance(value, DeviceArray),
    }
    # Most modules have these functions by name.
    places = [
        (module, name, replacement)
        for module in list(sys.modules.values())
        for name, replacement in replaced.items()
        if getattr(vars(module).get(name), "__module__", None) == "thinc.util"
    ]
    places += [
        (thinc.util, "cupy", PretendedOps.xp),
        (thinc.util, "has_cupy", True),
        (thinc.backends, "CupyOps", PretendedOps),
        # torch knows no mixed precision there, and no dispatcher sees these tensors being made.
        (torch, "autocast", lambda device, **kwargs: autocast(device, **kwargs) if device == "cpu" else nullcontext()),
        (torch, "tensor", lambda data, device="cpu", **kwargs: tensor_from_data(data, **kwargs).to(device)),
    ]
    before = [(module, name, getattr(module, name)) for module, name, _ in places]
    ops = get_current_ops()
    try:
        for module, name, replacement in places:
            setattr(module, name, replacement)
        set_current_ops(PretendedOps())
        with _Dispatch():
            yield
    finally:
        for module, name, original in before:
            setattr(module, name, original)
        set_current_ops(ops)
