"""READ/WRITE policies: each decides, at every step, from what the decoder can tell it.

``lsg``        the paper's policy (arXiv 2501.00868)
``baselines``  wait-k, local agreement, hold-n, offline
"""
