"""The parts of the dataset `folder`: its description, who belongs to whom, and how labels read."""
