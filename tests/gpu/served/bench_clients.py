"""Processes that ask a server over gRPC, each one request after the other.

As a program it is one of them: a line of JSON on its input says what to do, one on its output tells when the answers came.
The request is made once and sent as bytes, so that a client costs little beside the server on the same machine.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time

METHOD = "/inference.GRPCInferenceService/ModelInfer"


class Clients:
    """`count` of them, connected to `target`, for the life of this."""

    def __init__(self, target: str, count: int):
        self._processes = [subprocess.Popen([sys.executable, __file__, target], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            text=True) for _ in range(count)]

    def __enter__(self) -> Clients:
        return self

    def __exit__(self, *_) -> None:
        for process in self._processes:
            process.stdin.close()
            process.wait()
            process.stdout.close()

    def ask(self, requests: list[bytes], seconds: float, warm: int, least: int) -> list[list[tuple[float, float]]]:
        """The i-th client sends requests[i] again and again: `warm` times that are not told, then for `seconds` and at least
        `least` times. By client, when each request began and ended, on one clock."""
        asked = self._processes[:len(requests)]
        for process, request in zip(asked, requests, strict=True):
            job = {"request": base64.b64encode(request).decode(), "seconds": seconds, "warm": warm, "least": least}
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
        answers = [process.stdout.readline() for process in asked]
        if not all(answers):
            raise RuntimeError("a client ended: see its error above")
        return [json.loads(answer) for answer in answers]


def rate(times: list[list[tuple[float, float]]]) -> float:
    """Requests a second while all clients asked, from one's end to another's."""
    begin, end = (pick(each) for pick, each in ((max, [of[0][0] for of in times]), (min, [of[-1][1] for of in times])))
    ends = sorted(at for of in times for _, at in of if begin <= at <= end)
    return (len(ends) - 1) / (ends[-1] - ends[0])


def median_time(times: list[list[tuple[float, float]]]) -> float:
    taken = sorted(end - begin for of in times for begin, end in of)
    return taken[len(taken) // 2]


def run_job(call, request: bytes, seconds: float, warm: int, least: int) -> list[tuple[float, float]]:
    for _ in range(warm):
        call(request)
    times = []
    stop = time.monotonic() + seconds
    while len(times) < least or times[-1][1] < stop:
        begin = time.monotonic()
        call(request)
        times.append((begin, time.monotonic()))
    return times


def main(target: str) -> None:
    import grpc
    with grpc.insecure_channel(target) as channel:
        call = channel.unary_unary(METHOD)
        for line in sys.stdin:
            job = json.loads(line)
            request = base64.b64decode(job.pop("request"))
            print(json.dumps(run_job(call, request, **job)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
