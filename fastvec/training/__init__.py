"""Training: the loop over epochs, its threads, its schedule, and what is shown meanwhile."""
