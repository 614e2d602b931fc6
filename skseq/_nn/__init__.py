"""Keras layers that are told lengths, stacks of them, front ends and initial weights.

Everything that imports Keras stands here or above. Knows nothing of any task.
"""

import skseq._nn.backend  # noqa: F401 - refuses any other backend of Keras
