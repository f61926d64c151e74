"""Offline tools which make the weights of the stem net: rendering, mixing, training, evaluation."""
