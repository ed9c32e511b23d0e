"""Notes which companion files a process reads, while the press executes a chapter.

The press puts this folder first on a kernel's PYTHONPATH, so that Python imports this
module at the start of the kernel and of every Python child it starts. It also hides JAX
from those that do not ask for it. Without `FIRSTLIGHT_TRACE` it does nothing. It must be
cheap and can never break the kernel.
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _watch(trace: str, code: str) -> None:
    """Append one line to `trace` for every file (or listed folder) under `code`."""
    import json
    from importlib.util import source_from_cache

    prefixes = tuple({os.path.join(path, "") for path in (code, os.path.realpath(code))})
    cache = f"{os.sep}__pycache__{os.sep}"
    seen = set()
    writes = os.O_WRONLY | os.O_TRUNC
    importers = ("<frozen importlib", "<frozen zipimport")

    def note(kind: str, path: str) -> None:
        if cache in path:
            try:
                path = source_from_cache(path)
            except ValueError:
                return
        if (kind, path) in seen:
            return
        seen.add((kind, path))
        line = json.dumps({kind: path}) + "\n"
        # One write to a file opened for appending: lines of several processes never mix.
        handle = os.open(trace, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(handle, line.encode())
        finally:
            os.close(handle)

    def hook(event: str, args: tuple) -> None:  # type: ignore[type-arg]
        try:
            if event == "open":
                path, mode, flags = args
                if isinstance(path, int) or path is None:
                    return
                path = os.path.abspath(os.fsdecode(path))
                if not path.startswith(prefixes):
                    return
                if isinstance(flags, int) and flags & writes:
                    return  # written here, not depended on
                note("file", path)
            elif event == "import":
                path = args[1]  # a compiled extension module
                if path and path.startswith(prefixes):
                    note("file", path)
            elif event in ("os.listdir", "os.scandir"):
                path = os.path.abspath(os.fsdecode(args[0] if args[0] is not None else "."))
                if (path + os.sep).startswith(prefixes):
                    caller = sys._getframe(1).f_code.co_filename
                    # Imports list folders too, and would make every module depend on all.
                    if not caller.startswith(importers):
                        note("dir", path)
        except Exception:  # the chapter matters more than the note
            pass

    sys.addaudithook(hook)


def _hide_jax() -> None:
    """Let a kernel of TensorFlow's find no JAX, even where `[scaling]` has installed it.

    TensorFlow imports JAX wherever it finds it (for its converter to TFLite), at a cost of
    110 MB and half a second a kernel; readers and Binder have none.
    """
    from importlib.machinery import PathFinder

    class WithoutJax(PathFinder):
        @classmethod
        def find_spec(cls, fullname, path=None, target=None):  # type: ignore[no-untyped-def]
            if fullname in ("jax", "jaxlib"):
                return None
            return super().find_spec(fullname, path, target)

    sys.meta_path[:] = [WithoutJax if f is PathFinder else f for f in sys.meta_path]


def _next_sitecustomize() -> None:
    """Run the `sitecustomize` that this one hides, if the machine has one."""
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    path = [p for p in sys.path if os.path.abspath(p or ".") != _HERE]
    spec = PathFinder.find_spec("sitecustomize", path)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


try:
    if os.environ.get("FIRSTLIGHT_TRACE") and os.environ.get("FIRSTLIGHT_TRACE_CODE"):
        _watch(os.environ["FIRSTLIGHT_TRACE"], os.environ["FIRSTLIGHT_TRACE_CODE"])
        if os.environ.get("KERAS_BACKEND") != "jax":
            _hide_jax()
    _next_sitecustomize()
except Exception:
    pass
