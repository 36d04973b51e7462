"""mutoscope: a self-hosted generative media gateway."""

__version__ = "0.1.0"
