"""Black Forest Labs' FLUX API: a path for each model, one path to read any result."""
