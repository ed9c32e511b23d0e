"""Real data: one registry, one cache, and a loader for each dataset.

`registry` says what there is, where it comes from and under which license; `cache`
finds, verifies and fetches it; the other modules turn files into arrays and tables:
`galaxies` (COSMOS, Hubble, Galaxy Zoo 2, Galaxy10), `radio` (FIRST), `stripe82`,
`ogle` (OGLE-III and -IV), `vvv` and `imagenet` (EfficientNet-Lite0 weights).
`shards` writes large simulated sets so that a killed run can be resumed.
"""
