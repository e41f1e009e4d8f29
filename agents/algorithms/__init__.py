"""Learning algorithms, one file each, in reading order: config, loss, update."""
