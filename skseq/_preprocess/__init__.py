"""What is done to each sequence before a network reads it: the parameter `preprocess`.

Its steps are transformers that learn nothing, which every sequence passes, and
augmenters, which change only what is trained on, drawn again in each epoch. Knows no
network.
"""

from skseq._preprocess.sequences import preprocessed as preprocessed
