"""How much data sky surveys take: rates and volumes, measured or promised, each with its source.

Collected for November 2026. Raw data and all that is made of them are kept apart, and so are
figures that somebody measured and figures that a project has promised.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from math import isnan, nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AS_OF", "LECTURE_2022", "SURVEYS", "SurveySize", "table", "table_2022"]

AS_OF = "November 2026"
STATUSES = ("measured", "design")


@dataclass(frozen=True)
class SurveySize:
    """What one survey takes, and who says so.

    Args:
        survey: Short name.
        start: Begin of regular observing, as a decimal year.
        raw_gb_per_day: Raw data in 24 hours of a good day or night, in gigabytes (10^9 bytes);
            `nan` where no figure was found.
        raw_tb: Raw data of the whole survey, in terabytes (10^12 bytes), or `nan`.
        archive_tb: What is kept and served, products included, or `nan`.
        status: `"measured"` if the raw total (or the archive, where there is none) was counted
            afterwards, `"design"` if it is a project's plan.
        in_space: Whether everything must come down by radio.
        cite: Key in the book's bibliography.
        source: Address where the figures stand.
        note: What the figures include.

    Raises:
        ValueError: If a figure is zero or negative, or the status unknown.

    Example:
        >>> SurveySize("Argus", 2031.0, 10.0, 5.0, status="guess", cite="", source="", note="")
        Traceback (most recent call last):
        ...
        ValueError: Argus: received status 'guess', expected 'measured' or 'design'; ...
    """

    survey: str
    start: float
    raw_gb_per_day: float = nan
    raw_tb: float = nan
    archive_tb: float = nan
    status: str = "design"
    in_space: bool = False
    cite: str = ""
    source: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(
                f"{self.survey}: received status {self.status!r}, expected 'measured' or "
                "'design'; a figure that is neither counted nor planned has no place here."
            )
        for name in ("raw_gb_per_day", "raw_tb", "archive_tb"):
            value = getattr(self, name)
            if not (isnan(value) or value > 0):
                raise ValueError(
                    f"{self.survey}.{name}: received {value}, expected a positive number; leave "
                    "it out where nothing is known."
                )


SURVEYS: tuple[SurveySize, ...] = (
    SurveySize(
        "2MASS", 1997.4, 17, 25.4, status="measured", cite="Skrutskie2006",
        source="https://www.ipac.caltech.edu/2mass/releases/allsky/doc/sec4_1.html",
        note="rate of one clear night at one of its two telescopes",
    ),
    SurveySize(
        "SDSS imaging", 2000.0, 200, 40, cite="York2000",
        source="http://www.mso.anu.edu.au/DunkIsland/Proceedings/Szalay/tsld015.htm",
        note="the survey's own plan: 8 MB/s while scanning, 40 TB of raw images",
    ),
    SurveySize(
        "Pan-STARRS", 2010.4, 4_000, 4_000, 1_600, status="measured", cite="Magnier2020",
        source="https://arxiv.org/abs/1612.05240",
        note="both telescopes: up to 4 TB a night, over 4 PB raw by 2019; archive: release 2",
    ),
    SurveySize(
        "Gaia", 2014.6, 36.9, 141.064, status="measured", in_space=True, cite="Prusti2016",
        source="https://www.cosmos.esa.int/web/gaia/mission-numbers",
        note="science data of 3827 days, 25 July 2014 to 15 January 2025",
    ),
    SurveySize(
        "DESI", 2020.9, archive_tb=80, status="measured", cite="Adame2024",
        source="https://data.desi.lbl.gov/doc/releases/edr",
        note="early data release only, half a year of trial observations",
    ),
    SurveySize(
        "Euclid", 2024.1, 100, 219, 170_000, in_space=True, cite="Mellier2025",
        source="https://www.esa.int/Science_Exploration/Space_Science/Euclid",
        note="raw: the daily rate times six years; the archive includes data from the ground",
    ),
    SurveySize(
        "Rubin (LSST)", 2026.5, 20_000, 60_000, 500_000, cite="Ivezic2019",
        source="https://rubinobservatory.org/explore/lsst",
        note="ten years from 30 June 2026; the archive is all products together, roughly",
    ),
    SurveySize(
        "SKA", 2029.0, 1_900_000, cite="Dewdney2009",
        source="https://www.skao.int/en/explore/big-data",
        note="700 PB a year, and these are products: the raw signals cannot be kept",
    ),
)  # fmt: skip

# Name, first light, GB a day, TB: what the lecture showed in 2022.
LECTURE_2022: tuple[tuple[str, float, float, float], ...] = (
    ("2MASS", 1997, 20, 25.4),
    ("SDSS", 2000, 200, 50),
    ("LSST", 2023, 30e3, 200e3),
    ("SKA", 2027, 150e3, 4.6e6),
)


def table() -> pd.DataFrame:
    """The surveys as they are known now, one to a row.

    Returns:
        One column for each field of `SurveySize`, in order of `start`.

    Example:
        >>> table().loc[0, ["survey", "raw_tb"]].to_list()
        ['2MASS', 25.4]
    """
    import pandas as pd

    columns = [field.name for field in fields(SurveySize)]
    return pd.DataFrame([asdict(survey) for survey in SURVEYS], columns=columns)


def table_2022() -> pd.DataFrame:
    """The four surveys of the lecture, with the figures it gave in 2022.

    Returns:
        Columns `survey`, `start`, `gb_per_day` and `tb`.

    Example:
        >>> table_2022()["tb"].to_list()
        [25.4, 50.0, 200000.0, 4600000.0]
    """
    import pandas as pd

    return pd.DataFrame(LECTURE_2022, columns=["survey", "start", "gb_per_day", "tb"])
