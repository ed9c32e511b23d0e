"""What astronomers measure: metrics, information floors, and the shapes of galaxies."""
