"""The kernels written once more, to be read: NumPy only, same modules, functions and argument names."""
