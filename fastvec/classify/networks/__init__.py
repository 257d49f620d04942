"""Networks of fully connected layers, their optimizers, and classifiers of rows of features."""
