"""The TensorFlow target. Importing its modules imports TensorFlow, so the compiler does that when it is chosen."""
