"""The networks of RETURNN's own tests, compared with what RETURNN computes for them."""
