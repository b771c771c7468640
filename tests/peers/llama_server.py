"""Starts llama.cpp's own HTTP server on one model file, for tests and benches to compare with.

Usage: llama_server.py MODEL.gguf PORT ALIAS THREADS SLOTS [CONTEXT_TOKENS_PER_SLOT]

Needs the package `xllamacpp`. Prints one line, `listening ADDRESS`, as soon as the port is open; the model
may still be loading then, so poll /health. Runs until it is killed, or until its standard input closes, so
that a parent that dies never leaves it behind.
"""

import os
import sys
import threading

import xllamacpp


def main() -> None:
    model, port, alias, threads, slots = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    context = int(sys.argv[6]) if len(sys.argv) > 6 else 4096

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx = context * slots
    params.n_parallel = slots
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.model_alias = {alias}
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.use_jinja = True
    params.warmup = False

    # The reader starts first: the parent may die while the model loads.
    threading.Thread(target=leave_with_parent, daemon=True).start()
    server = xllamacpp.Server(params)
    print("listening", server.listening_address, flush=True)
    threading.Event().wait()


def leave_with_parent() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
