"""Where HTTP requests come in."""
