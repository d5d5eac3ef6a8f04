"""The doctor: examines a dataset, or a config and its dataset, and writes down what is wrong."""
