"""The cosmic web: spectra, particles on a mesh, boxes and slices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft

from firstlight.sky import cosmic_web, matter_power, particle_mesh

seeds = st.integers(0, 2**32 - 1)


def cloud(n, mesh, seed):
    return np.random.default_rng(seed).uniform(-mesh, 2 * mesh, (3, n)).astype(np.float32)


def spectrum(field, box_mpc_h, edges):
    """Mean power between edges in h/Mpc, and the mean wavenumbers, by a plain loop of our own."""
    mesh = len(field)
    power = np.abs(fft.fftn(field.astype(float))) ** 2 * box_mpc_h**3 / mesh**6
    one = np.fft.fftfreq(mesh) * mesh * 2 * np.pi / box_mpc_h
    k = np.sqrt(one[:, None, None] ** 2 + one[:, None] ** 2 + one**2)
    inside = [(k >= low) & (k < high) for low, high in zip(edges[:-1], edges[1:], strict=True)]
    return np.array([power[at].mean() for at in inside]), inside, k


# ---------------------------------------------------------------- matter_power


def test_the_spectrum_has_the_amplitude_that_was_asked_for():
    for sigma_8 in (0.7, 0.82):
        cosmology = matter_power.Cosmology(sigma_8=sigma_8)
        assert matter_power.rms_in_spheres(8, cosmology) == pytest.approx(sigma_8, rel=1e-3)


def test_the_largest_scales_keep_the_primordial_slope():
    k = np.array([1e-4, 3e-4])
    slope = np.diff(np.log(matter_power.linear(k))) / np.diff(np.log(k))
    assert slope[0] == pytest.approx(matter_power.PAPER.n_s, abs=0.03)


def test_halos_add_power_on_small_scales_and_none_on_large_ones():
    k = np.array([0.003, 0.3, 1.0, 5.0])
    gain = matter_power.nonlinear(k) / matter_power.linear(k)
    assert gain[0] == pytest.approx(1, abs=0.01)
    assert (np.diff(gain) > 0).all() and gain[2] > 3


@given(st.floats(max_value=9e-5) | st.floats(min_value=11) | st.just(float("nan")))
def test_wavenumbers_out_of_range_are_refused(k):
    with pytest.raises(ValueError, match=r"k: received .*expected numbers from"):
        matter_power.linear(k)


@pytest.mark.parametrize("change", [{"omega_m": 0}, {"sigma_8": float("nan")}, {"h": 70}])
def test_a_universe_that_makes_no_sense_is_refused(change):
    with pytest.raises(ValueError, match="Cosmology: received"):
        matter_power.Cosmology(**change)
    with pytest.raises(ValueError, match="fewer baryons"):
        matter_power.Cosmology(omega_m=0.1, omega_b=0.2)
    with pytest.raises(ValueError, match="rms_in_spheres: received"):
        matter_power.rms_in_spheres(float("nan"))


# ---------------------------------------------------------------- particle_mesh


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3000), st.sampled_from([2, 4, 6, 16]), seeds)
def test_no_mass_is_lost(n, mesh, seed):
    density = particle_mesh.deposit(cloud(n, mesh, seed), mesh)
    assert density.mean(dtype=float) == pytest.approx(1, abs=1e-5)
    assert (density >= 0).all()


@settings(max_examples=20, deadline=None)
@given(seeds, st.tuples(*[st.integers(-9, 9)] * 3))
def test_matter_moved_by_whole_cells_is_the_same_matter_elsewhere(seed, shift):
    places = cloud(400, 8, seed)
    moved = particle_mesh.deposit(places + np.array(shift, np.float32)[:, None], 8)
    there = np.roll(particle_mesh.deposit(places, 8), shift, axis=(0, 1, 2))
    np.testing.assert_allclose(moved, there, atol=2e-4)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_reading_is_the_transpose_of_depositing(seed):
    rng = np.random.default_rng(seed)
    places, fields = cloud(500, 8, seed), rng.normal(size=(2, 8, 8, 8)).astype(np.float32)
    by_cells = (particle_mesh.deposit(places, 8) * fields).mean(axis=(1, 2, 3))
    by_particles = particle_mesh.read(fields, places).sum(axis=1) / 500
    np.testing.assert_allclose(by_cells, by_particles, atol=1e-4)


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_particles_pull_each_other_and_not_themselves_along(seed):
    places = cloud(600, 16, seed)
    pull = particle_mesh.read(
        particle_mesh.accelerations(particle_mesh.deposit(places, 16)), places
    )
    assert np.abs(pull.mean(axis=1)).max() < 1e-3 * np.abs(pull).max()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_wave_is_pulled_toward_its_crests(axis):
    mesh, wave = 16, 2 * np.pi / 16 * 3
    x = np.indices((mesh,) * 3)[axis]
    found = particle_mesh.accelerations((1 + 0.3 * np.cos(wave * x)).astype(np.float32), False)
    np.testing.assert_allclose(found[axis], -0.3 * np.sin(wave * x) / wave, atol=1e-5)
    others = [found[i] for i in range(3) if i != axis]
    assert np.abs(others).max() < 1e-5
    sharper = particle_mesh.accelerations((1 + 0.3 * np.cos(wave * x)).astype(np.float32))
    assert sharper[axis].max() / found[axis].max() == pytest.approx(np.sinc(3 / 16) ** -2, rel=1e-4)


@pytest.mark.parametrize("steps", [1, 5, 12])
def test_a_single_wave_falls_as_zeldovich_found(steps):
    # In one dimension his solution is exact until sheets of matter cross. Whole sheets of
    # particles fall together here, which is the worst a mesh can meet: so the wave is judged.
    mesh, wave, height = 32, 2 * np.pi / 32, 0.4
    x = np.indices((mesh,) * 3)[0]
    start = particle_mesh.lattice(mesh)
    moved = particle_mesh.evolve((height * np.cos(wave * x)).astype(np.float32), steps) - start
    found = -2 * np.mean(moved[0] * np.sin(wave * start[0])) * wave
    assert found == pytest.approx(height, rel=0.1)
    assert np.abs(moved[1:]).max() < 1e-3


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 0.9), st.floats(0.01, 0.5), st.floats(-3, 3))
def test_a_step_is_right_to_second_order(start, length, psi):
    """Displacement D + psi E and force D + psi (E - D^2), per unit of the first-order field."""
    end, middle = start + length, start + length / 2
    second = -3 / 7 * start**2 - 6 / 7 * start * length / 2
    alpha = particle_mesh.kick_weight(start, end)
    force = (middle + psi * (second - middle**2)) / middle
    after = alpha * (1 - 6 / 7 * psi * start) + (1 - alpha) * force
    assert after == pytest.approx(1 - 6 / 7 * psi * end, abs=1e-9)


def test_bad_particles_are_refused():
    with pytest.raises(ValueError, match="empty box"):
        particle_mesh.deposit(np.empty((3, 0)), 8)
    with pytest.raises(ValueError, match="mesh of 7 cells, expected an even number"):
        particle_mesh.deposit(np.zeros((3, 5)), 7)
    with pytest.raises(ValueError, match="NaN or infinite positions"):
        particle_mesh.deposit(np.full((3, 5), np.nan), 8)
    with pytest.raises(ValueError, match="NaN or infinity in the density"):
        particle_mesh.evolve(np.full((4, 4, 4), np.nan))
    with pytest.raises(ValueError, match="expected a cube"):
        particle_mesh.evolve(np.zeros((4, 4, 6)))
    with pytest.raises(ValueError, match="steps=0"):
        particle_mesh.evolve(np.zeros((4, 4, 4)), 0)
    with pytest.raises(ValueError, match="expected it to grow"):
        particle_mesh.kick_weight(0.5, 0.5)


# ---------------------------------------------------------------- cosmic_web


@settings(max_examples=5, deadline=None)
@given(seeds, st.floats(-2, 1), st.floats(50, 500))
def test_a_field_has_the_power_it_was_drawn_from(seed, slope, box):
    mesh, rng = 32, np.random.default_rng(seed)
    fields = [
        cosmic_web.gaussian_field(mesh, rng, lambda k: 100 * k**slope, box_mpc_h=box)
        for _ in range(4)
    ]
    edges = 2 * np.pi / box * np.array([2.5, 5.5, 9.5, 14.5])
    for field in fields:
        assert abs(field.mean()) < 1e-4 * field.std()
    found = np.mean([spectrum(field, box, edges)[0] for field in fields], axis=0)
    _, inside, k = spectrum(fields[0], box, edges)
    asked = np.array([(100 * k[at] ** slope).mean() for at in inside])
    modes = np.array([at.sum() for at in inside]) * len(fields) / 2
    assert (np.abs(found / asked - 1) < 6 / np.sqrt(modes)).all()


def test_matter_follows_linear_theory_on_large_scales_and_halos_on_small_ones():
    # Waves of exactly the mean power, and a second box with all signs turned, leave little to
    # chance (Angulo & Pontzen 2016, MNRAS 462, L1).
    box, mesh, edges = 192.0, 96, np.array([0.035, 0.07, 0.15, 0.25, 0.4])
    waves = fft.fftn(cosmic_web.gaussian_field(mesh, np.random.default_rng(0), box_mpc_h=box))
    _, inside, k = spectrum(np.zeros((mesh,) * 3), box, edges)
    theory = {}
    for name in ("linear", "nonlinear"):
        theory[name] = np.zeros(k.shape)
        theory[name][k > 0] = getattr(matter_power, name)(k[k > 0])
    waves *= np.sqrt(theory["linear"] * mesh**6 / box**3) / np.maximum(np.abs(waves), 1e-9)
    start = fft.ifftn(waves).real.astype(np.float32)
    # The clouds blur what is compared: their window, squared, is divided out.
    window = np.sinc(np.fft.fftfreq(mesh)) ** 2
    window = window[:, None, None] * window[:, None] * window
    found = []
    for sign in (1, -1):
        end = particle_mesh.deposit(particle_mesh.evolve(sign * start), mesh)
        sharp = fft.ifftn(fft.fftn(end.astype(float)) / window).real
        found.append(spectrum(sharp, box, edges)[0])
    power = np.mean(found, axis=0)
    linear, nonlinear = ([theory[name][at].mean() for at in inside] for name in theory)
    assert power[0] == pytest.approx(linear[0], rel=0.04)
    np.testing.assert_allclose(power, nonlinear, rtol=0.1)
    assert power[-1] > 1.4 * linear[-1]


def test_more_steps_change_little_and_one_step_is_too_few():
    start = cosmic_web.gaussian_field(32, np.random.default_rng(0), box_mpc_h=64)
    fields = {
        steps: particle_mesh.deposit(particle_mesh.evolve(start, steps), 32) for steps in (1, 5, 20)
    }
    peak = {steps: np.quantile(field, 0.999) for steps, field in fields.items()}
    assert peak[5] == pytest.approx(peak[20], rel=0.15)
    assert peak[1] < 0.7 * peak[20]


@settings(max_examples=6, deadline=None)
@given(seeds, st.sampled_from([4, 8, 16]), st.integers(1, 2))
def test_boxes_and_slices_conserve_mass(seed, pixels, finer):
    boxes = cosmic_web.simulate(2, seed, pixels=pixels, finer=finer, steps=1)
    assert boxes.density.shape == (2, pixels, pixels, pixels)
    assert boxes.density.dtype == np.float32 and len(boxes) == 2
    np.testing.assert_allclose(boxes.density.mean(axis=(1, 2, 3), dtype=float), 1, atol=1e-5)
    cut, where = cosmic_web.slices(boxes)
    assert cut.shape == (6 * pixels, pixels, pixels)
    assert np.bincount(where).tolist() == [3 * pixels] * 2
    assert cut[where == 1].mean(dtype=float) == pytest.approx(1, abs=1e-5)


def test_slices_are_those_of_the_three_axes():
    density = np.random.default_rng(0).random((2, 4, 4, 4), dtype=np.float32)
    cut, where = cosmic_web.slices(cosmic_web.Boxes(density, 10.0))
    np.testing.assert_array_equal(cut[1], density[0, 1])
    np.testing.assert_array_equal(cut[4 + 2], density[0, :, 2])
    np.testing.assert_array_equal(cut[12 + 8 + 3], density[1, :, :, 3])
    assert where[11] == 0 and where[12] == 1


def test_the_first_boxes_do_not_depend_on_how_many_follow():
    settings_ = dict(pixels=8, finer=1, steps=1)
    one, two = (cosmic_web.simulate(n, 7, **settings_) for n in (1, 2))
    np.testing.assert_array_equal(one.density[0], two.density[0])
    assert np.abs(two.density[0] - two.density[1]).max() > 0.01


def test_bad_boxes_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="n=0"):
        cosmic_web.simulate(0, 1)
    with pytest.raises(ValueError, match="mesh of 9 cells, expected an even number"):
        cosmic_web.simulate(1, 1, pixels=9)
    with pytest.raises(ValueError, match="received a box of nan"):
        cosmic_web.gaussian_field(8, rng, box_mpc_h=float("nan"))
    with pytest.raises(ValueError, match="negative, NaN or infinite"):
        cosmic_web.gaussian_field(8, rng, lambda k: np.where(k > 0.1, np.nan, 1.0))
    with pytest.raises(ValueError, match="empty box"):
        cosmic_web.slices(cosmic_web.Boxes(np.zeros((1, 4, 4, 4), np.float32), 10.0))
    with pytest.raises(ValueError, match="with NaN"):
        cosmic_web.slices(cosmic_web.Boxes(np.full((1, 4, 4, 4), np.nan, np.float32), 10.0))
    with pytest.raises(ValueError, match="expected a divisor"):
        cosmic_web.coarse(np.ones((6, 6, 6), np.float32), 4)
