"""One of the processes that `processes.start` starts: `python -m firstlight.scaling.rank`."""

from __future__ import annotations

import os
import pickle
import sys
import threading
import time
from pathlib import Path

PARENT = "FIRSTLIGHT_PARENT"  # who started it: that one may be gone before this line is read


def join(address: str, processes: int, rank: int) -> None:
    """Become one of several processes that train one network together.

    Args:
        address: Where the first of them listens, `host:port`.
        processes: How many there are.
        rank: Which one this is, from 0.
    """
    import keras

    keras.distribution.initialize(address, processes, rank)
    keras.distribution.set_distribution(keras.distribution.DataParallel())


def _follow(parent: int) -> None:
    """Leave when whoever started this process is gone: nobody would end it otherwise."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(3)

    threading.Thread(target=watch, daemon=True).start()


def main(folder: str, rank: str, processes: str, address: str, core: str) -> None:
    """Run the call that lies in a folder, and leave the answer there."""
    _follow(int(os.environ.get(PARENT, os.getppid())))
    if int(core) >= 0 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})
    if os.environ.get("KERAS_BACKEND") == "jax":
        # Keras looks for TensorFlow whatever its backend, and half a gigabyte comes with it.
        sys.modules.setdefault("tensorflow", None)  # type: ignore[arg-type]
    if int(processes) > 1:
        join(address, int(processes), int(rank))
    elif os.environ.get("KERAS_BACKEND"):
        import keras  # noqa: F401  (its start is not the function's time)
    function, arguments = pickle.loads((Path(folder) / "call").read_bytes())
    from firstlight.scaling.processes import Answer

    begun = time.process_time()
    value = function(*arguments)
    answer = Answer(value, time.process_time() - begun, begun, _peak_mb())
    part = Path(folder) / f".answer-{rank}"
    part.write_bytes(pickle.dumps(answer))
    part.replace(Path(folder) / f"answer-{rank}")
    sys.stdout.flush()
    if int(processes) > 1:
        import jax

        jax.distributed.shutdown()  # waits for the others, so that none is cut off
    os._exit(0)


def _peak_mb() -> float:
    status = Path("/proc/self/status")
    if status.exists() and "VmHWM:" in status.read_text():
        # getrusage would count what the parent held at the moment of the fork.
        return float(status.read_text().split("VmHWM:")[1].split()[0]) * 1024 / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    main(*sys.argv[1:])
