"""Files to photographs, photographs to contents: RGB, float32 in [0, 1]."""
