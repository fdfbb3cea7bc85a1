"""cnnlab: compare classic CNNs honestly, one recipe ingredient at a time."""

__version__ = "0.1.0"
