"""The only room with TensorFlow in it: build, measure, train, quantise and score a Keras model."""
