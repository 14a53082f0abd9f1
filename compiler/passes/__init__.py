"""Passes over the IR; :mod:`compiler.program.pipelines` puts them in order."""
