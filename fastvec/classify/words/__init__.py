"""Classes of words by the windows around them."""
