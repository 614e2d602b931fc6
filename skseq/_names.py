"""The table of public names: what `skseq` offers, and the module that has each.

Plain data, which imports nothing. Lazy loading, `skseq.load`, the stub `__init__.pyi`
and the tests read it, so a new estimator is one line here. The stub is written from it
by ``python -m tests.stub``.
"""

ESTIMATORS = {
    "CTCSequenceClassifier": "skseq._ctc.estimator",
    "LSTMAutoencoder": "skseq._autoencoder.estimator",
    "Seq2SeqTranslator": "skseq._seq2seq.estimator",
    "SequenceClassifier": "skseq._framewise.classifier",
    "SequenceRegressor": "skseq._framewise.regressor",
    "SequenceTagger": "skseq._framewise.tagger",
    "SiameseSequenceEmbedder": "skseq._siamese.estimator",
}

FUNCTIONS = {
    "clear_checkpoints": "skseq._engine.checkpoint",
    "clear_programs": "skseq._engine.lending",
    "load": "skseq._engine.pipelines",
    "save": "skseq._engine.pipelines",
    "set_program_memory": "skseq._engine.lending",
    "show_versions": "skseq._show_versions",
}

ROOMS = (
    "augmentation",
    "datasets",
    "exceptions",
    "inspection",
    "language",
    "metrics",
    "preprocessing",
    "scikeras",
)

# What methods return and raise can be imported, but completion does not offer it.
NOT_OFFERED = {
    "WindowStream": "skseq._autoencoder.stream",
    "CTCStream": "skseq._ctc.stream",
    "FrameStream": "skseq._framewise.stream",
    "FramePartial": "skseq._results",
    "LabelSpan": "skseq._results",
    "Partial": "skseq._results",
    "RankedLabels": "skseq._results",
    "RankedOutput": "skseq._results",
    "ScoredWindow": "skseq._results",
    "TrainingDivergedError": "skseq.exceptions",
}

MODULES = {**ESTIMATORS, **FUNCTIONS, **NOT_OFFERED}
