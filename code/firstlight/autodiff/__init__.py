"""The from-scratch network in NumPy: what Keras does, small enough to read."""
