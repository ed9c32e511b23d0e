"""The Keras layers that Keras lacks, each written with `keras.ops` for every backend."""
