"""What the compiler says of published configs: ``python -m tests.published CHECKOUT --mode search``."""
