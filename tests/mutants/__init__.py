"""Mutation testing: are the tests able to notice a fault?

``python -m tests.mutants --count 100 --seed 1`` makes one small change at a time in lines that the tests run, runs the
tests that ran the line, and prints the share of the changes that a test noticed, and the changes that none did.

Nothing is written to the work tree: a child process, forked from one that has TensorFlow loaded already, imports the
changed module from memory. Which test runs which line is measured once per state of the sources and kept in
``build/mutants``; new tests are added to it. Changes that make no difference are listed in ``verdicts.toml``.
"""
