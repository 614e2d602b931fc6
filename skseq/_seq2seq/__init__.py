"""From a sequence of tokens to another one."""

import skseq._nn.backend  # noqa: F401 - before Keras is imported
from skseq._seq2seq.estimator import Seq2SeqTranslator as Seq2SeqTranslator
