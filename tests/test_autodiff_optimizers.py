"""Facts about the optimizers: step by step equal to Keras, limits, memory, errors."""

import itertools

import numpy as np
import pytest

from firstlight.autodiff import clipping, optimizers, schedules
from firstlight.autodiff.optimizer import Optimizer
from firstlight.autodiff.optimizers import SGD, Adam, AdamW, RMSprop

STEPS = 60
CURVES = np.array([0.5, 3.0, 40.0])
CASES = {
    "plain": ("SGD", {"learning_rate": 0.02}),
    "momentum": ("SGD", {"learning_rate": 0.01, "momentum": 0.9}),
    "nesterov": ("SGD", {"learning_rate": 0.01, "momentum": 0.9, "nesterov": True}),
    "nesterov without momentum": ("SGD", {"learning_rate": 0.01, "nesterov": True}),
    "rmsprop": ("RMSprop", {"learning_rate": 0.01}),
    "rmsprop centered": ("RMSprop", {"learning_rate": 0.01, "centered": True, "rho": 0.8}),
    "rmsprop momentum": ("RMSprop", {"learning_rate": 0.01, "momentum": 0.5, "epsilon": 1e-3}),
    "rmsprop all": ("RMSprop", {"learning_rate": 0.003, "momentum": 0.9, "centered": True}),
    "adam": ("Adam", {"learning_rate": 0.05}),
    "adam betas": ("Adam", {"learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.1}),
    "amsgrad": ("Adam", {"learning_rate": 0.05, "beta_2": 0.7, "amsgrad": True}),
    "adam decayed": ("Adam", {"learning_rate": 0.05, "weight_decay": 0.3}),
    "adamw": ("AdamW", {"learning_rate": 0.05}),
    "adamw strong": ("AdamW", {"learning_rate": 0.05, "weight_decay": 0.5, "amsgrad": True}),
    "sgd decayed": ("SGD", {"learning_rate": 0.02, "momentum": 0.8, "weight_decay": 0.1}),
    "each clipped": ("SGD", {"learning_rate": 0.02, "momentum": 0.9, "clipnorm": 1.5}),
    "values clipped": ("Adam", {"learning_rate": 0.05, "clipvalue": 0.3}),
    "all clipped": ("RMSprop", {"learning_rate": 0.01, "global_clipnorm": 2.0}),
}
RATES = {
    "cosine": ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 40, "alpha": 0.05}),
    "warm": (
        "CosineDecay",
        {
            "initial_learning_rate": 0.001,
            "decay_steps": 30,
            "warmup_target": 0.1,
            "warmup_steps": 10,
        },
    ),
    "exponential": (
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 9, "decay_rate": 0.7},
    ),
    "staircase": (
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 9, "decay_rate": 0.7, "staircase": True},
    ),
    "stairs": ("PiecewiseConstantDecay", {"boundaries": [5, 20], "values": [0.1, 0.03, 0.001]}),
}


@pytest.fixture(scope="module")
def keras():
    keras = pytest.importorskip("keras")
    old = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield keras
    keras.config.set_floatx(old)


def exact(options):
    """Settings as NumPy numbers: Keras rounds a Python float to float32 before it casts it."""
    return {
        key: np.float64(value) if isinstance(value, float) else value
        for key, value in options.items()
    }


def start():
    random = np.random.default_rng(3)
    return [random.normal(size=3), random.normal(size=(2, 4)), random.normal(size=())]


def slopes(values, step):
    """Gradients of a bowl with unequal axes, noise in every step, sizes over five decades."""
    noise = np.random.default_rng(100 + step)
    return [
        CURVES * values[0] + noise.normal(size=3),
        1e-3 * np.sin(values[1]) + 1e-4 * noise.normal(size=(2, 4)),
        30 * np.tanh(values[2]) + noise.normal(),
    ]


def ours(optimizer, steps=STEPS):
    values, path = start(), []
    for step in range(steps):
        values = optimizer.step(values, slopes(values, step))
        path.append(np.concatenate([value.ravel() for value in values]))
    return np.array(path)


def theirs(keras, optimizer, steps=STEPS):
    variables, path = [keras.Variable(value, dtype="float64") for value in start()], []
    for step in range(steps):
        values = [np.asarray(variable) for variable in variables]
        gradients = [keras.ops.convert_to_tensor(g) for g in slopes(values, step)]
        optimizer.apply(gradients, variables)
        path.append(np.concatenate([np.asarray(variable).ravel() for variable in variables]))
    return np.array(path)


@pytest.mark.parametrize("case", CASES)
def test_every_step_equals_keras(case, keras):
    name, options = CASES[case]
    if name.startswith("Adam"):
        options = {"beta_1": 0.9, "beta_2": 0.999, **options}
    if name == "AdamW":
        options = {"weight_decay": 0.004, **options}
    path = ours(getattr(optimizers, name)(**options))
    assert np.ptp(path, axis=0).min() > 1e-4, "something moves"
    want = theirs(keras, getattr(keras.optimizers, name)(**exact(options)))
    np.testing.assert_allclose(path, want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "AdamW"])
def test_defaults_are_kerass(name, keras):
    ours_, theirs_ = getattr(optimizers, name)(), getattr(keras.optimizers, name)()
    config = theirs_.get_config()
    shared = set(config) & set(vars(ours_)) - {"learning_rate"}
    assert shared >= {"weight_decay"} and len(shared) > 2
    assert float(config["learning_rate"]) == pytest.approx(ours_.learning_rate)
    assert {key: config[key] for key in shared} == {key: vars(ours_)[key] for key in shared}
    path, want = ours(ours_, 20), theirs(keras, theirs_, 20)
    np.testing.assert_allclose(path, want, rtol=1e-5, atol=1e-6)


def test_adams_first_step_in_keras_is_short_of_a_digit_because_of_float32(keras):
    """Why `exact` is there: 1 - float32(0.999) is not 0.001."""
    short = theirs(keras, keras.optimizers.Adam(0.1), 1)[0] - theirs(
        keras, keras.optimizers.Adam(**exact({"learning_rate": 0.1, "beta_2": 0.999})), 1
    )
    assert 1e-7 < np.abs(short).max() < 1e-5


@pytest.mark.parametrize("case", RATES)
def test_schedules_equal_keras(case, keras):
    name, options = RATES[case]
    mine = getattr(schedules, name)(**options)
    their = getattr(keras.optimizers.schedules, name)(**exact(options))
    want = [float(their(step)) for step in range(STEPS)]
    np.testing.assert_allclose([mine(step) for step in range(STEPS)], want, rtol=1e-6, atol=1e-12)
    path = ours(AdamW(mine, weight_decay=0.2))
    want = theirs(
        keras,
        keras.optimizers.AdamW(
            their, **exact({"weight_decay": 0.2, "beta_1": 0.9, "beta_2": 0.999})
        ),
    )
    np.testing.assert_allclose(path, want, rtol=1e-6, atol=1e-6)


def test_sgd_without_noise_is_the_closed_form():
    optimizer, value = SGD(0.1), [np.array([1.0, -2.0])]
    for _ in range(25):
        value = optimizer.step(value, [3 * value[0]])
    np.testing.assert_allclose(value[0], 0.7**25 * np.array([1.0, -2.0]))


@pytest.mark.parametrize("factor", [1e-3, 1e4])
def test_adam_and_rmsprop_do_not_see_the_unit_of_the_loss(factor):
    for make in (lambda: Adam(0.01, epsilon=1e-30), lambda: RMSprop(0.01, epsilon=1e-60)):
        plain, scaled = make(), make()
        for step in range(10):
            gradient = slopes(start(), step)
            one = plain.step(start(), gradient)
            two = scaled.step(start(), [factor * g for g in gradient])
            for a, b in zip(one, two, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-12)


def test_the_first_step_of_adam_is_the_rate_and_momentum_gathers_ten_steps():
    assert Adam(0.01).step([[0.0, 0.0]], [[1e-2, -1e5]])[0] == pytest.approx([-0.01, 0.01], 1e-3)
    optimizer, value = SGD(0.01, momentum=0.9), [0.0]
    for _ in range(200):
        before, value = value, optimizer.step(value, [1.0])
    assert before[0] - value[0] == pytest.approx(0.1)


def test_decoupled_decay_shrinks_all_alike_and_l2_does_not():
    weights = np.array([1.0, 1.0])
    gradient = np.array([100.0, 0.01])
    shrunk = AdamW(0.1, weight_decay=0.5).step([weights], [gradient])[0]
    plain = Adam(0.1).step([weights], [gradient])[0]
    np.testing.assert_allclose(plain - shrunk, 0.1 * 0.5 * weights)


def test_given_arrays_stay_as_they_were_and_dtypes_are_kept():
    values, gradients = [np.ones(3, "float32")], [np.ones(3)]
    for optimizer in (SGD(0.1, 0.9), RMSprop(), Adam(amsgrad=True), AdamW(schedules.CosineDecay(
        0.1, 10))):  # fmt: skip
        new = optimizer.step(values, gradients)
        assert new[0].dtype == np.float32 and new[0][0] != 1
        assert (values[0] == 1).all() and (gradients[0] == 1).all()


def test_apply_writes_the_value():
    class Kept:
        value = np.array([1.0, 2.0])

    kept = [Kept(), Kept()]
    SGD(0.5).apply([[1.0, 0.0], [0.0, 2.0]], kept)
    assert kept[0].value.tolist() == [0.5, 2.0] and kept[1].value.tolist() == [1.0, 1.0]


def test_reset_makes_a_step_the_first_again():
    optimizer = Adam(0.1)
    first = ours(optimizer)
    optimizer.reset()
    assert np.array_equal(first, ours(optimizer))


def test_clipping_keeps_what_it_says():
    gradients = [np.array([3.0, 0.0]), np.array([[0.0], [4.0]])]
    assert clipping.global_norm(gradients) == pytest.approx(5)
    clipped = clipping.clip_by_global_norm(gradients, 1.0)
    assert clipping.global_norm(clipped) == pytest.approx(1)
    assert clipped[0][0] / clipped[1][1, 0] == pytest.approx(3 / 4)
    for short in clipping.clip_by_norm(gradients, 3.5), clipping.clip_by_value(gradients, 3.5):
        assert short[0].tolist() == [3, 0] and short[1].tolist() == [[0], [3.5]]
    same = clipping.clip_by_global_norm(gradients, 9.0)
    assert all(np.array_equal(a, b) for a, b in zip(same, gradients, strict=True))
    assert clipping.global_norm([]) == 0 and clipping.global_norm([[0.0]]) == 0
    assert clipping.global_norm([[3e200], [4e200]]) == pytest.approx(5e200)


BAD = [
    (lambda: SGD(-0.1), "learning_rate: received -0.1, expected a number of 0 or more"),
    (lambda: SGD(True), "learning_rate: received True"),
    (lambda: Adam(float("nan")), "learning_rate: received nan"),
    (lambda: Adam("0.1"), "learning_rate: received '0.1'"),
    (lambda: SGD(momentum=1.5), "momentum: received 1.5, .*at most 1"),
    (lambda: Adam(beta_1=1.0), "beta_1: received 1.0, .*below 1"),
    (lambda: Adam(beta_2=-0.1), "beta_2: received -0.1"),
    (lambda: RMSprop(rho=1), "rho: received 1"),
    (lambda: Adam(epsilon=0), "epsilon: received 0, expected a number above 0"),
    (lambda: AdamW(weight_decay=-1), "weight_decay: received -1"),
    (lambda: SGD(clipnorm=0), "clipnorm: received 0, expected a number above 0"),
    (lambda: SGD(clipnorm=1, clipvalue=1), "expected one of them at most"),
    (lambda: SGD(lambda step: -1.0).step([1.0], [1.0]), "learning_rate at step 0: received -1.0"),
    (lambda: SGD().step([[1.0, 2.0]], [[np.nan, 1.0]]), "1 of 2 numbers that are NaN.*Lower"),
    (lambda: SGD().step([[1.0, 2.0]], [[np.inf, 1.0]]), "gradient 0: .*infinite"),
    (lambda: SGD().step([[np.nan]], [[1.0]]), "parameter 0: .*NaN"),
    (lambda: SGD().step([[1.0]], [None]), "gradient 0: received NoneType"),
    (lambda: SGD().step([[1.0]], [[1.0], [2.0]]), r"shapes \[\(1,\), \(1,\)\], expected \[\(1,\)"),
    (lambda: SGD().step([[1.0]], [[1.0, 2.0]]), r"shapes \[\(2,\)\], expected \[\(1,\)\]"),
    (lambda: optimizers.get("adamm"), "received 'adamm', expected one of adam, adamw"),
    (lambda: optimizers.get(3), "received 3, expected one of"),
    (lambda: schedules.CosineDecay(0.1, 0), "decay_steps: received 0"),
    (lambda: schedules.CosineDecay(-0.1, 9), "initial_learning_rate: received -0.1"),
    (lambda: schedules.CosineDecay(0.1, 9, warmup_steps=3), "without a warmup_target"),
    (lambda: schedules.ExponentialDecay(0.1, 9, 0.0), "decay_rate: received 0"),
    (lambda: schedules.PiecewiseConstantDecay([3], [0.1]), "received 1 for 1 boundaries"),
    (lambda: schedules.PiecewiseConstantDecay([3, 3], [1.0] * 3), "expected rising steps"),
]


@pytest.mark.parametrize("make, message", BAD, ids=itertools.count())
def test_bad_input_says_received_expected_and_the_cure(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_optimizer_remembers_one_network_and_a_refused_step_changes_nothing():
    optimizer = Adam(0.1)
    optimizer.step([[1.0]], [[1.0]])
    with pytest.raises(ValueError, match="make another, or call reset"):
        optimizer.step([[1.0, 2.0]], [[1.0, 2.0]])
    with pytest.raises(ValueError, match="NaN"):
        optimizer.step([[1.0]], [[np.nan]])
    assert optimizer.iterations == 1


def test_get_knows_names_and_passes_optimizers_through():
    assert isinstance(optimizers.get("AdamW", learning_rate=0.1), AdamW)
    mine = SGD()
    assert optimizers.get(mine) is mine


def test_a_formula_of_ones_own_needs_one_method():
    class SignDescent(Optimizer):
        def change(self, gradient, rate, state):
            return -rate * np.sign(gradient)

    assert SignDescent(0.5).step([[1.0, 2.0]], [[1e-9, -1e9]])[0].tolist() == [0.5, 2.5]
    with pytest.raises(NotImplementedError):
        Optimizer(0.1).step([[1.0]], [[1.0]])
