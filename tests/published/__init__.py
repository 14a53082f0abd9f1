"""What the compiler says of published configs, and whether they train: ``python -m tests.published CHECKOUT``."""
