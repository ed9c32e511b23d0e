"""What every test of a figure does: draw in the house style, and close what it drew."""

import matplotlib
import matplotlib.pyplot as plt
import pytest

from firstlight import figures


@pytest.fixture(autouse=True)
def house_style():
    """Matplotlib's settings are the book's during a test, and as before after it."""
    with matplotlib.rc_context():
        figures.use()
        yield
    plt.close("all")
