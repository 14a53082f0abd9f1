"""Passes over the IR; :mod:`compiler.pipelines` puts them in order."""
