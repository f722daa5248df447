"""GPU memory that a client shares with a server, by way of CUDA's runtime: no package of Python is needed."""

from __future__ import annotations

import base64
import ctypes
import os
import pathlib

import numpy as np

_TO_DEVICE, _TO_HOST = 1, 2
_BLOCK = 2 << 20  # CUDA hands out parts of such blocks; another process opens whole ones


class _IpcHandle(ctypes.Structure):
    _fields_ = [("reserved", ctypes.c_char * 64)]


def _runtime() -> ctypes.CDLL:
    for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":"):
        for file in sorted(pathlib.Path(folder).glob("libcudart.so*")) if folder else []:
            return ctypes.CDLL(str(file))
    return ctypes.CDLL("libcudart.so")


class Cuda:
    """The runtime's functions, with errors as exceptions."""

    def __init__(self):
        self._library = _runtime()
        self._library.cudaGetErrorString.restype = ctypes.c_char_p

    def call(self, name: str, *arguments) -> None:
        code = getattr(self._library, name)(*arguments)
        if code:
            raise RuntimeError(f"{name}: {self._library.cudaGetErrorString(code).decode()}")

    def device_count(self) -> int:
        count = ctypes.c_int()
        self.call("cudaGetDeviceCount", ctypes.byref(count))
        return count.value

    def used_bytes(self, device: int) -> int:
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        self.call("cudaSetDevice", device)
        self.call("cudaMemGetInfo", ctypes.byref(free), ctypes.byref(total))
        return total.value - free.value


class GpuRegion:
    """Memory on one GPU, registered with servers as CUDA shared memory."""

    def __init__(self, cuda: Cuda, device: int, size: int):
        self.device, self.size = device, size
        self._cuda = cuda
        self._at = ctypes.c_void_p()
        cuda.call("cudaSetDevice", device)
        cuda.call("cudaMalloc", ctypes.byref(self._at), ctypes.c_size_t(-(-size // _BLOCK) * _BLOCK))

    def register(self, client, name: str) -> None:
        handle = _IpcHandle()
        self._cuda.call("cudaSetDevice", self.device)
        self._cuda.call("cudaIpcGetMemHandle", ctypes.byref(handle), self._at)
        raw = base64.b64encode(bytes(handle)).decode()
        client.register_cuda_shared_memory(name, raw, self.device, self.size)

    def write(self, values: np.ndarray, offset: int = 0) -> None:
        values = np.ascontiguousarray(values)
        assert offset + values.nbytes <= self.size
        self._copy(self._at.value + offset, values.ctypes.data, values.nbytes, _TO_DEVICE)

    def read(self, dtype, shape, offset: int = 0) -> np.ndarray:
        values = np.empty(shape, dtype)
        assert offset + values.nbytes <= self.size
        self._copy(values.ctypes.data, self._at.value + offset, values.nbytes, _TO_HOST)
        return values

    def close(self) -> None:
        self._cuda.call("cudaFree", self._at)

    def _copy(self, to: int, source: int, size: int, kind: int) -> None:
        self._cuda.call("cudaSetDevice", self.device)
        self._cuda.call("cudaMemcpy", ctypes.c_void_p(to), ctypes.c_void_p(source), ctypes.c_size_t(size), kind)
        self._cuda.call("cudaDeviceSynchronize")
