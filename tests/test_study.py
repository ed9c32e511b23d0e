"""What a study is: a frozen record, and data that know how many they are."""

import dataclasses

import numpy as np
import pytest

from firstlight import studies
from firstlight.studies import study


def test_data_counts_its_galaxies_and_cannot_be_swapped():
    zeros = np.zeros((3, 4, 4, 3), "float32")
    data = study.Data(zeros, zeros, np.zeros((3, 37)), np.zeros((3, 37)), {"size": 4})
    assert len(data) == 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.images = zeros


def test_every_study_has_both_scales_and_is_found_by_name():
    for name in studies.NAMES:
        found = studies.get(name)
        assert isinstance(found, study.Study) and found.name == name
        assert {"build", "full"} <= set(found.scales)
        for scale in set(found.scales) - {"build"}:
            assert scale.startswith("full")
            assert found.scales[scale]["n_train"] > found.scales["build"]["n_train"]
    with pytest.raises(ValueError, match="received 'no-such', expected one of"):
        studies.get("no-such")
