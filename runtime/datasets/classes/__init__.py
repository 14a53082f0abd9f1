"""The dataset classes, one per file: ``@dataset`` or ``@generated`` makes each known under its name in a config."""
