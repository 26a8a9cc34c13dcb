"""Processes of ours without the seconds that their imports take.

Starting a Python process and importing the daemon costs more than most of what tests do with it. One process for each
worker of the test run imports once, and every child is a fork of it: a process of its own, with its own environment,
files and signals, that begins where the imports end. Where the start itself is what a test is about, it starts Python.
"""

from tests.nursery.children import DEVNULL, PIPE, STDOUT, Child, call, spawn

__all__ = ["DEVNULL", "PIPE", "STDOUT", "Child", "call", "spawn"]
