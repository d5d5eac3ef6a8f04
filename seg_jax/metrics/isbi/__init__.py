"""The errors by which the ISBI 2012 challenge ranked segmentations of membranes."""
