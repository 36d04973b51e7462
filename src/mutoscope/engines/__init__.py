"""One file per way of making media. An engine does not know who asked."""
