"""From a sequence of tokens to another one."""

from skseq._seq2seq.estimator import Seq2SeqTranslator as Seq2SeqTranslator
