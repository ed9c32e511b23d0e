"""What the simulators refuse, and how they say it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.sky import checks


@given(st.integers(-5, 5))
def test_whole_numbers_pass_within_their_range(value):
    if 0 <= value <= 3:
        assert checks.whole("f", "n", np.int32(value), 0, 3) == value
    else:
        with pytest.raises(ValueError, match=f"f: received n=.*{value}.*from 0 to 3"):
            checks.whole("f", "n", value, 0, 3)


@pytest.mark.parametrize("value", [1.0, True, "1", None, np.float32(2)])
def test_what_only_looks_like_a_whole_number_does_not_pass(value):
    with pytest.raises(ValueError, match="expected a whole number"):
        checks.whole("f", "n", value, 0, 3)


def test_a_sound_table_passes():
    checks.table("f", pd.DataFrame({"a": [1.0], "kind": ["disc"]}), ["a", "kind"], ["a"])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"b": [1.0]}, r"without \['a'\], expected the columns"),
        ({"a": [1.0, np.nan]}, r"NaN or infinity in \['a'\], expected finite"),
        ({"a": [1.0, np.inf]}, r"NaN or infinity in \['a'\], expected finite"),
        ({"a": [1.0, 0.0]}, r"zero or less in \['a'\], expected positive"),
    ],
)
def test_an_unsound_table_is_refused_by_the_name_of_its_column(table, message):
    with pytest.raises(ValueError, match=message):
        checks.table("f", pd.DataFrame(table), ["a"], ["a"])
