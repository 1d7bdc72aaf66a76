"""Models: the seam to the engine, and one module for each family of CTranslate2."""
