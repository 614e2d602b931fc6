"""What a user meets first: the names that `skseq` offers, and how it answers a call."""

import inspect
import re
import shutil
import subprocess
import symtable
import sys
from pathlib import Path
from types import UnionType
from typing import Literal, Union, get_args, get_origin, get_type_hints

import pytest
from sklearn.utils import class_weight

import skseq
from skseq import _names
from skseq._engine import saving
from skseq._routing import ANSWERS, ANSWERS_OF_STEPS, SYNONYMS, SYNONYMS_OF_STEPS
from skseq.augmentation import Blur, Elastic, GaussianNoise, TimeMask, TokenDropout
from skseq.preprocessing import (
    MFCC,
    FrameTransformer,
    LogMel,
    SequenceNormalizer,
    SlidingWindows,
)
from tests.estimators import AUTOENCODER, TRANSLATOR
from tests.estimators import ESTIMATORS as CASES
from tests.stub import STUB, stub
from tests.test_docstrings import entries

OFFERED = {*_names.ESTIMATORS, *_names.FUNCTIONS, *_names.ROOMS}

# Completers list the private modules of the folder too, after all others.
COMPLETIONS = ("from skseq import ", "import skseq\nskseq.", "import skseq as s\ns.")


def test_every_public_name_is_loaded_from_its_module():
    for name, module in _names.MODULES.items():
        assert getattr(skseq, name).__module__.startswith(module)
    for room in _names.ROOMS:
        assert inspect.ismodule(getattr(skseq, room))


def test_completion_offers_what_is_public_and_nothing_else():
    assert {name for name in dir(skseq) if not name.startswith("_")} == OFFERED
    assert {*skseq.__all__, *_names.ROOMS} == OFFERED


@pytest.mark.parametrize(
    ("name", "ours"),
    [("CTCClassifier", "CTCSequenceClassifier"), ("clear_program", "clear_programs")],
)
def test_a_name_that_is_nearly_one_of_ours_is_told_which(name, ours):
    with pytest.raises(AttributeError, match=rf"'{name}'\. Did you mean '{ours}'\?$"):
        getattr(skseq, name)
    with pytest.raises(AttributeError, match=r"'zzzzzz'\.$"):
        _ = skseq.zzzzzz


def test_the_package_itself_defines_private_names_only():
    source = Path(skseq.__file__).read_text(encoding="utf-8")
    symbols = symtable.symtable(source, skseq.__file__, "exec").get_symbols()
    bound = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}
    assert bound
    assert not {name for name in bound if not name.startswith("_")}


@pytest.mark.parametrize("code", COMPLETIONS)
def test_a_completer_that_runs_nothing_offers_the_same(code):
    jedi = pytest.importorskip("jedi")
    completions = jedi.Script(code, path=STUB.parents[1] / "notebook.py").complete()
    names = [completion.name for completion in completions]
    assert {name for name in names if not name.startswith("_")} == OFFERED


def test_the_stub_is_written_from_the_table():
    written = STUB.read_text(encoding="utf-8")
    assert written == stub(), "run python -m tests.stub"


def test_load_returns_one_of_the_table_of_estimators_or_a_pipeline():
    (union,) = re.findall(r"_Estimator = Union\[.*\n((?:    .*\n)+)\]", stub())
    assert re.findall(r"\w+", union) == [*_names.ESTIMATORS, "Pipeline"]
    assert (
        "def load(path: str | PathLike[str], *, warm: bool = False) -> _Est" in stub()
    )


def test_what_load_may_build_is_the_table_of_estimators():
    assert saving.ESTIMATORS is _names.ESTIMATORS


# -- synonyms -------------------------------------------------------------------------

ESTIMATORS = [getattr(skseq, name) for name in _names.ESTIMATORS]

# A foreign name, what of the answer must be there, and the parameter that it needs.
FOREIGN = [
    *(
        (name, f"Did you mean '{ours}'?", ours)
        for ours in SYNONYMS
        for name in SYNONYMS[ours]
    ),
    *((name, sentence, needed) for name, (needed, sentence) in ANSWERS.items()),
    ("model__units", "Did you mean 'units'?", "units"),
    ("module__lr", "Did you mean 'learning_rate'?", "learning_rate"),
]


def refusals(Estimator, name):
    with pytest.raises(
        TypeError, match=f"unexpected keyword .*'{name}'"
    ) as constructed:
        Estimator(**{name: 1})
    with pytest.raises(ValueError, match="Invalid parameter") as changed:
        Estimator().set_params(**{name: 1})
    return str(constructed.value), str(changed.value)


@pytest.mark.parametrize(("name", "answer", "needed"), FOREIGN)
def test_a_foreign_name_is_answered_with_ours(name, answer, needed):
    knowing = [E for E in ESTIMATORS if needed in E().get_params()]
    assert knowing
    for Estimator in knowing:
        assert all(text.endswith(f" {answer}") for text in refusals(Estimator, name))


@pytest.mark.parametrize(("name", "answer", "needed"), FOREIGN)
def test_no_answer_names_a_parameter_that_is_not_there(name, answer, needed):
    for Estimator in ESTIMATORS:
        params = Estimator().get_params()
        if needed not in params and name not in params:
            assert not any(answer in text for text in refusals(Estimator, name))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("epochs", r"constructor: (\w+)\(epochs=\.\.\.\)\.$"),
        ("optimizer__momentum", r"constructor: (\w+)\(optimizer__momentum=\.\.\.\)\.$"),
        ("max_iter", "Did you mean 'epochs', a parameter of the constructor\\?$"),
        ("validation_data", r"Validation data goes to fit, as X_val"),
        ("sample_weights", r"Did you mean 'sample_weight'\?$"),
        ("eval_set", r"Validation data goes to fit, as X_val"),
        ("x_val", r"Did you mean 'X_val'\?$"),
        ("zzz", "argument 'zzz'\\.$"),
    ],
)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_fit_says_where_a_keyword_of_keras_belongs(Estimator, name, answer):
    with pytest.raises(TypeError, match=answer):
        Estimator().fit([[[1.0]]], ["a"], **{name: 1})


@pytest.mark.parametrize("case", CASES, ids=str)
def test_predict_says_where_the_batch_size_belongs(case):
    with pytest.raises(TypeError, match=r"\w\(\) .*constructor: \w+\(batch_size="):
        getattr(case.Estimator(), case.answers)([[[1.0]]], batch_size=4)


@pytest.mark.parametrize("answer", [sentence for _, sentence in ANSWERS.values()])
def test_the_answers_speak_of_parameters_that_exist(answer):
    known = {name for E in ESTIMATORS for name in E().get_params()}
    known |= {name for E in ESTIMATORS for name in inspect.signature(E.fit).parameters}
    known |= {*dir(skseq.preprocessing), *dir(class_weight), "class_weight"}
    words = re.findall(r"\b[A-Za-z]+(?:_[a-z]+)+\b", answer)
    assert {word.partition("__")[0] for word in words} <= known


@pytest.mark.parametrize(
    ("Step", "name", "answer"),
    [
        (LogMel, "sr", r"Did you mean 'sample_rate'\?"),
        (MFCC, "numcep", r"Did you mean 'n_mfcc'\?"),
        (
            LogMel,
            "hop_length",
            r"hop_seconds is in seconds: set it to hop_length / sample_rate, or to "
            r"hop_length itself if that is in seconds already\.",
        ),
        (
            MFCC,
            "win_length",
            r"set it to win_length / sample_rate, or to win_length itself if .*\.",
        ),
        (SlidingWindows, "window_size", r"Did you mean 'window_length'\?"),
        (GaussianNoise, "std", r"Did you mean 'scale'\?"),
        (TokenDropout, "p", r"Did you mean 'probability'\?"),
        (SlidingWindows, "hop_length", r"Did you mean 'stride'\?"),
        (FrameTransformer, "scaler", r"Did you mean 'transformer'\?"),
        (GaussianNoise, "sigma", r"Did you mean 'scale'\?"),
        (Blur, "sigma", r"Did you mean 'max_sigma'\?"),
        (Elastic, "sigma", r"Did you mean 'smoothness'\?"),
        (Elastic, "alpha", r"Did you mean 'scale'\?"),
        (SequenceNormalizer, "with_sd", r"Did you mean 'with_std'\?"),
        (TimeMask, "zzzzzz", ""),
    ],
)
def test_steps_answer_foreign_names_too(Step, name, answer):
    pattern = rf"^{Step.__name__}\(\) got an unexpected keyword .*'{name}'.*{answer}$"
    with pytest.raises(TypeError, match=pattern):
        Step(**{name: 1})


@pytest.mark.parametrize(
    ("step", "name", "ours"),
    [
        (LogMel(), "sr", "sample_rate"),
        (Blur(), "sigma", "max_sigma"),
        (FrameTransformer(None), "scaler", "transformer"),
    ],
)
def test_steps_answer_foreign_names_that_are_set(step, name, ours):
    with pytest.raises(ValueError, match=rf"'{name}' .* Did you mean '{ours}'\?$"):
        step.set_params(**{name: 1})


@pytest.mark.parametrize(
    ("synonyms", "answers"), [(SYNONYMS_OF_STEPS, ANSWERS_OF_STEPS)]
)
def test_the_answers_of_steps_speak_of_parameters_that_exist(synonyms, answers):
    steps = [
        getattr(room, name)
        for room in (skseq.augmentation, skseq.preprocessing)
        for name in room.__all__
        if name[0].isupper()
    ]
    known = {name for step in steps for name in inspect.signature(step).parameters}
    assert {*synonyms, *(needed for needed, _ in answers.values())} <= known


@pytest.mark.parametrize(
    ("Estimator", "name"),
    [("Seq2SeqTranslator", "latent_dim"), ("LSTMAutoencoder", "class_weight")],
)
def test_a_parameter_of_another_estimator_is_not_taken_for_a_misspelling(
    Estimator, name
):
    for text in refusals(getattr(skseq, Estimator), name):
        assert "Did you mean" not in text


@pytest.mark.parametrize(
    ("params", "answer"),
    [
        ({"optimizer": "adma"}, "Did you mean 'adam'"),
        ({"optimizer": "sgd", "optimizer__lr": 1}, "Did you mean 'learning_rate'"),
        ({"cell": "LSTM"}, "Did you mean 'lstm'"),
    ],
)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_values_of_other_libraries_are_answered_with_ours(case, params, answer):
    with pytest.raises(ValueError, match=answer):
        case.tiny(**{"epochs": 1, **params}).fit(case.X, case.y)


@pytest.mark.parametrize(
    ("case", "params", "answer"),
    [
        (TRANSLATOR, {"attention": "luong"}, "Did you mean 'dot'"),
        (TRANSLATOR, {"attention": "Bahdanau"}, "Did you mean 'additive'"),
        (AUTOENCODER, {"loss": "mean_squared_error"}, "Did you mean 'mse'"),
    ],
)
def test_values_that_are_called_otherwise_are_answered_too(case, params, answer):
    with pytest.raises(ValueError, match=answer):
        case.tiny(**params).fit(case.X, case.y)


def test_a_parameter_of_nobody_gets_no_answer():
    for text in refusals(ESTIMATORS[0], "zzzzzz"):
        assert "Did you mean" not in text


# -- types ----------------------------------------------------------------------------

HAVE_CLASSES = (
    skseq.augmentation,
    skseq.inspection,
    skseq.language,
    skseq.preprocessing,
)
CONSTRUCTORS = [
    *(E.__init__ for E in ESTIMATORS),
    *(
        getattr(room, n).__init__
        for room in HAVE_CLASSES
        for n in room.__all__
        if n[0].isupper() and not issubclass(getattr(room, n), tuple)
    ),
    skseq.TrainingDivergedError.__init__,
]


@pytest.mark.parametrize("constructor", CONSTRUCTORS, ids=lambda c: c.__qualname__)
def test_every_parameter_of_a_constructor_has_a_type_that_its_default_is_of(
    constructor,
):
    types = get_type_hints(constructor)
    for name, parameter in list(inspect.signature(constructor).parameters.items())[1:]:
        assert name in types
        if parameter.default is not parameter.empty:
            assert fits(parameter.default, types[name]), name


def fits(value, hint):
    """Whether a default is of a type, as far as the defaults of skseq go."""
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    for option in options:
        if get_origin(option) is Literal:
            found = value in get_args(option)
        else:
            kind = get_origin(option) or option
            found = isinstance(value, (int, float) if kind is float else kind)
        if found:
            return True
    return False


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_choices_in_a_type_are_those_of_the_documentation(Estimator):
    types = get_type_hints(Estimator.__init__)
    for entry in entries(Estimator, "Parameters"):
        documented = re.findall(r'"(\w+)"', entry.type.partition(", default=")[0])
        assert documented == choices(types.get(entry.name)), entry.name


def choices(hint):
    options = [hint, *get_args(hint)]
    literals = (get_args(o) for o in options if get_origin(o) is Literal)
    return [name for names in literals for name in names]


@pytest.mark.slow
def test_a_type_checker_accepts_a_users_script():
    pytest.importorskip("pyright", reason="pyright is not installed")
    if shutil.which("node") is None:
        pytest.skip("pyright needs Node.js, and would download it")
    script = Path(__file__).with_name("typing_user.py")
    options = ["--pythonpath", sys.executable, "--level", "error"]
    checked = subprocess.run(
        [sys.executable, "-m", "pyright", *options, str(script)],
        capture_output=True,
        text=True,
        cwd=script.parents[1],
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_foreign_route_is_answered_with_ours_and_no_name_is_guessed_for_a_known_one():
    with pytest.raises(TypeError, match="Did you mean 'front_end__width'"):
        skseq.CTCSequenceClassifier(encoder__width=3)
    for Estimator in (skseq.Seq2SeqTranslator, skseq.LSTMAutoencoder):
        with pytest.raises(TypeError, match=r"\]\.$"):
            Estimator(encoder=None)
