"""The optimizers, one file each; nobody imports them but the registry's walk."""
