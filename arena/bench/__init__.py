"""Speed of the parts and of the whole, measured the same way everywhere."""
