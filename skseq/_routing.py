"""Parameters that an estimator passes on, and what other libraries call its own.

Knows no estimator.
"""

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps

from skseq._parameters import did_you_mean

# What Keras, scikit-learn and PyTorch call our parameters.
SYNONYMS = {
    "learning_rate": ("lr", "learning_rate_init", "eta0"),
    "epochs": ("max_iter", "n_iter", "n_epochs", "num_epochs", "max_epochs"),
    "batch_size": ("minibatch_size", "train_batch_size"),
    "units": (
        *("hidden_size", "hidden_sizes", "hidden_layer_sizes", "hidden_dim"),
        *("hidden_units", "n_hidden", "n_units", "num_units", "rnn_units"),
    ),
    "cell": ("rnn_type", "cell_type", "rnn_cell", "rnn"),
    "random_state": ("seed", "random_seed"),
    "dropout": ("dropout_rate", "dropout_prob", "recurrent_dropout"),
    "global_clipnorm": (
        *("max_grad_norm", "gradient_clip_val", "grad_clip", "clip_norm"),
    ),
    "checkpoint": ("checkpoint_path", "filepath"),
    "distribute": ("strategy", "device"),
    "front_end": ("encoder", "backbone"),
    "conv_filters": ("filters",),
    "conv_kernel_size": ("kernel_size",),
    "conv_strides": ("strides", "stride"),
    "beam_width": ("beam", "beam_size", "num_beams", "n_beams"),
    "embedding_dim": ("embed_dim", "embedding_size", "emb_dim"),
    "max_vocabulary": ("max_features", "max_tokens", "num_words", "vocab_size"),
    "min_frequency": ("min_freq", "min_count"),
    "max_output_length": ("max_length", "max_len", "max_new_tokens"),
    "min_output_length": ("min_length",),
    "ema_decay": ("ema_momentum",),
    "latent_dim": ("latent_size", "code_size", "encoding_dim", "n_components"),
    "loss": ("criterion", "loss_function", "loss_fn"),
}

# The same of transformers and augmenters.
SYNONYMS_OF_STEPS = {
    "sample_rate": ("sr", "fs", "rate", "sampling_rate", "samplerate", "sample_freq"),
    "window_length": ("window_size", "window", "win_length", "sequence_length"),
    "stride": ("hop", "hop_length", "hop_size", "step", "shift"),
    "transformer": ("estimator", "scaler"),
    "n_mels": ("nfilt", "num_mel_bins", "n_filters"),
    "n_mfcc": ("numcep", "num_ceps", "n_ceps"),
    "f_min": ("fmin", "low_freq", "lowfreq"),
    "f_max": ("fmax", "high_freq", "highfreq"),
    "pre_emphasis": ("preemph", "preemphasis"),
    "max_sigma": ("sigma", "std"),
    "smoothness": ("sigma",),
    "max_width": ("width", "freq_mask_param", "time_mask_param", "mask_param"),
    "max_shift": ("shift",),
    "max_degrees": ("degrees", "angle"),
    "low": ("min_rate", "min_gain_in_db", "min_snr_in_db", "min_snr_db"),
    "high": ("max_rate", "max_gain_in_db", "max_snr_in_db", "max_snr_db"),
    "steps": ("transforms", "augmenters"),
    "replacement": ("mask_token",),
    "probability": ("p", "prob", "proba"),
    "scale": ("std", "sigma", "stddev", "noise_std", "noise_level", "alpha"),
}

LAYERS = "Layers are counted in units: units=(128, 128) has one entry per layer."
HELD_OUT = "Set validation_fraction, and early_stopping=True to use it."

# Foreign names that a name alone does not answer, with the parameter that must exist.
ANSWERS = {
    **dict.fromkeys(
        ("num_layers", "n_layers", "n_hidden_layers", "layers"), ("units", LAYERS)
    ),
    "patience": (
        "n_iter_no_change",
        "Set n_iter_no_change, and early_stopping=True to use it.",
    ),
    "validation_split": ("validation_fraction", HELD_OUT),
    **dict.fromkeys(
        ("validation_data", "validation_set", "eval_set"),
        (
            "validation_fraction",
            "Validation data goes to fit, as X_val and, where fit takes y, y_val.",
        ),
    ),
    "lengths": (
        "units",
        "Cut concatenated frames into sequences: "
        "X = skseq.preprocessing.from_concatenated(X, lengths).",
    ),
    "decoder": (
        "decoder_input",
        "Set decoder_input to 'output' or 'code', what the decoder reads.",
    ),
    # Of those whose loss cannot be chosen, which both have a decoder.
    "loss": ("decoder", "The loss follows from the task and is not a parameter."),
    "metrics": (
        "units",
        "Measure what is predicted by skseq.metrics, or set scoring in a search.",
    ),
    "tokenizer": ("source_tokenizer", "Set source_tokenizer and target_tokenizer."),
    "zero_infinity": ("infeasible", "Set infeasible='drop'."),
    **{
        name: ("optimizer", f"Set optimizer__{name}.")
        for name in ("clipnorm", "clipvalue", "momentum", "nesterov", "weight_decay")
    },
}


ANSWERS_OF_STEPS = {
    name: (
        ours,
        f"{ours} is in seconds: set it to {name} / sample_rate, or to {name} itself if "
        "that is in seconds already.",
    )
    for name, ours in {
        **dict.fromkeys(("hop_length", "hop_size", "winstep"), "hop_seconds"),
        **dict.fromkeys(("win_length", "frame_length", "winlen"), "window_seconds"),
    }.items()
}

_SYNONYMS = {**SYNONYMS, **SYNONYMS_OF_STEPS}
_ANSWERS = {**ANSWERS, **ANSWERS_OF_STEPS}


def suggestion(name: str, known: Collection[str]) -> str:
    """A sentence on what an unknown parameter is called here, or nothing.

    Only a parameter among the `known` ones is suggested.
    """
    for route in ("model__", "module__"):  # of SciKeras and skorch
        name = name.removeprefix(route)
    needed, sentence = _ANSWERS.get(name, (None, ""))
    if needed in known:
        return f" {sentence}"
    name, *routed = name.split("__", 1)
    ours = [own for own, theirs in _SYNONYMS.items() if name in theirs]
    for own in ours:
        if own in known:
            return f" Did you mean {'__'.join([own, *routed])!r}?"
    is_of_another = name in _SYNONYMS and name not in known
    if needed or ours or is_of_another:  # there is nothing of the kind here
        return ""
    return did_you_mean(name, known)


@contextmanager
def suggesting(names: Iterable[str], known: Collection[str]) -> Iterator[None]:
    """Add suggestions for unknown names to the ValueError that refuses them."""
    try:
        yield
    except ValueError as error:
        hints = {suggestion(name, known) for name in names if name not in known}
        raise ValueError(f"{error}{''.join(sorted(hints))}") from error


def answering(method: Callable) -> Callable:
    """Say what to write for a keyword that an estimator's method does not have."""
    known = inspect.signature(method).parameters

    @wraps(method)
    def checked(self, *args, **kwargs):
        for name in kwargs.keys() - known.keys():
            raise TypeError(
                f"{type(self).__name__}.{method.__name__}() got an unexpected keyword "
                f"argument {name!r}.{self._where(name, known)}"
            )
        return method(self, *args, **kwargs)

    return checked


class AnswersForeignNames:
    """Mixin whose constructor says what a parameter of another library is called."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = _answering_constructor(cls.__init__)

    def set_params(self, **params):
        """Set parameters.

        Parameters
        ----------
        **params : dict
            Parameter names and values.

        Returns
        -------
        self : estimator instance
            This estimator.
        """
        own = [name for name in params if "__" not in name]
        with suggesting(own, self._get_param_names()):
            return super().set_params(**params)


def _answering_constructor(construct: Callable) -> Callable:
    known = list(inspect.signature(construct).parameters)[1:]

    @wraps(construct)
    def checked(self, *args, **kwargs):
        for name in kwargs:
            if name not in known:
                raise TypeError(
                    f"{type(self).__name__}() got an unexpected keyword argument "
                    f"{name!r}.{suggestion(name, known)}"
                )
        construct(self, *args, **kwargs)

    return checked


def default_of(cls: type, name: str) -> object:
    """The default of a parameter: that of the first class among the bases that has it.

    A subclass may fix parameters, which its own constructor then does not take.
    """
    signatures = (inspect.signature(base.__init__).parameters for base in cls.__mro__)
    return next(known[name].default for known in signatures if name in known)


class RoutedParameters:
    """Mixin for estimators that pass parameters on by SciKeras's routing convention.

    A parameter `optimizer__momentum` goes to the object that `optimizer` makes. It is
    an attribute like the estimator's own parameters, and need not exist beforehand. The
    table `_routes` names the objects that take some. Methods answer a keyword that
    belongs to the constructor, as it does not in Keras.
    """

    _routes: tuple = ()

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        # scikit-learn's checks take every name in a signature for a parameter, and
        # `routed` is not one.
        _, *parameters = inspect.signature(cls.__init__).parameters.values()
        cls.__signature__ = inspect.Signature(
            [p for p in parameters if p.kind is not p.VAR_KEYWORD]
        )
        for name in {"fit", "partial_fit", "predict", "transform"} & vars(cls).keys():
            setattr(cls, name, answering(vars(cls)[name]))

    def _where(self, name: str, known: Collection[str]) -> str:
        """A sentence on where a keyword that a method does not know belongs."""
        own = self._get_param_names()
        if name in own or self._is_routed(name):
            called = f"{type(self).__name__}({name}=...)"
            return f" It is a parameter of the constructor: {called}."
        theirs = suggestion(name, own).replace("?", ", a parameter of the constructor?")
        return did_you_mean(name, known) or theirs

    def _set_routed(self, routed: dict) -> None:
        """Keep the constructor's routed parameters; refuse any other name."""
        for name, value in routed.items():
            if not self._is_routed(name):
                raise TypeError(
                    f"{type(self).__name__}() got an unexpected keyword argument "
                    f"{name!r}. Parameters beyond its own start with one of "
                    f"{[f'{route}__' for route in self._routes]}."
                    f"{suggestion(name, self._get_param_names())}"
                )
            setattr(self, name, value)

    def _is_routed(self, name: str) -> bool:
        route, separator, _ = name.partition("__")
        return bool(separator) and route in self._routes

    def _routed(self, route: str) -> dict:
        """The parameters routed to one object, by their names there."""
        prefix = f"{route}__"
        return {
            name.removeprefix(prefix): value
            for name, value in vars(self).items()
            if name.startswith(prefix)
        }

    def get_params(self, deep=True):
        """Get the parameters, routed ones included.

        Parameters
        ----------
        deep : bool, default=True
            Kept for scikit-learn; no parameter is an estimator.

        Returns
        -------
        params : dict of str to object
            Parameter names and values.
        """
        routed = {n: v for n, v in vars(self).items() if self._is_routed(n)}
        return {**super().get_params(deep=False), **routed}

    def set_params(self, **params):
        """Set parameters; a routed one (`optimizer__momentum`) need not exist yet.

        Parameters
        ----------
        **params : dict
            Parameter names and values.

        Returns
        -------
        self : estimator instance
            This estimator.
        """
        own = {name: v for name, v in params.items() if not self._is_routed(name)}
        with suggesting(own, self._get_param_names()):
            super().set_params(**own)
        for name in params.keys() - own.keys():
            setattr(self, name, params[name])
        return self
