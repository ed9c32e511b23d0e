"""The networks of the studies: one module each, functions that return a Keras model."""
