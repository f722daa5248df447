"""Where the threads of a process are, for a test that fails because it does not end. Only /proc is needed, no debugger."""

from __future__ import annotations

import bisect
import os
import pathlib
import signal
import struct
import time

_SCANNED = 1 << 14  # bytes of each stack


class _Code:
    """The executable parts of a process' memory."""

    def __init__(self, process: pathlib.Path):
        self._parts = []
        for line in (process / "maps").read_text().splitlines():
            place, rights, offset, _, _, *file = line.split(maxsplit=5)
            if "x" in rights and file and file[0].startswith("/"):
                begin, end = (int(address, 16) for address in place.split("-"))
                self._parts.append((begin, end, int(offset, 16), pathlib.Path(file[0]).name))
        self._parts.sort()

    def name(self, address: int) -> str | None:
        """"libc.so.6+0x1234": the address in the file, as addr2line and nm count it in a shared library."""
        at = bisect.bisect_right(self._parts, (address, 1 << 64)) - 1
        if at < 0 or address >= self._parts[at][1]:
            return None
        begin, _, offset, name = self._parts[at]
        return f"{name}+{address - begin + offset:#x}"


def _stack(memory, pointer: int, code: _Code) -> list[str]:
    """What may be return addresses on a stack, its top first: all that point into code. Some are of calls that are over."""
    try:
        memory.seek(pointer)
        words = memory.read1(_SCANNED)
    except (OSError, ValueError):
        return ["unreadable"]
    words = words[:len(words) // 8 * 8]
    return [name for (word,) in struct.iter_unpack("<Q", words) if (name := code.name(word))]


def _text(file: pathlib.Path) -> str:
    try:
        return file.read_text().strip()
    except OSError as error:
        return error.strerror


def _state(task: pathlib.Path) -> str:
    """R runs, S sleeps, D waits in a driver, T is stopped, Z has ended."""
    return _text(task / "stat").rpartition(")")[2].split()[0]


def _in_kernel(task: pathlib.Path) -> str:
    """Name, state and where the kernel has it waiting; the kernel's stack only where that is not an ordinary wait."""
    state, wchan = _state(task), _text(task / "wchan")
    line = f"thread {task.name} {_text(task / 'comm')}: {state} {wchan}"
    return line if state == "S" and "futex" in wchan else f"{line}\n    {' < '.join(_text(task / 'stack').splitlines())}"


def _in_program(task: pathlib.Path, memory, code: _Code) -> str:
    *_, pointer, counter = ["0", "0", *_text(task / "syscall").split()]
    if not counter.startswith("0x"):
        return f"    {counter}"
    frames = [code.name(int(counter, 16)) or counter, *_stack(memory, int(pointer, 16), code)]
    return f"    {' < '.join(frames[:60])}"


def stacks(pid: int) -> str:
    """A few lines for each thread. Stops the process, which is to be killed afterwards."""
    process = pathlib.Path(f"/proc/{pid}")
    tasks = sorted((process / "task").iterdir(), key=lambda task: int(task.name))
    kernel = [_in_kernel(task) for task in tasks]
    os.kill(pid, signal.SIGSTOP)  # a running thread's registers are told only when it is stopped
    end = time.monotonic() + 1
    while any(_state(task) == "R" for task in tasks) and time.monotonic() < end:
        os.sched_yield()
    code = _Code(process)
    try:
        with open(process / "mem", "rb") as memory:
            program = [_in_program(task, memory, code) for task in tasks]
    except OSError as error:
        program = [f"    {error}"] * len(tasks)
    return "\n".join(line for lines in zip(kernel, program) for line in lines)
