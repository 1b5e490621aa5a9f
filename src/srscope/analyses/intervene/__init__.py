"""Does a network use what a layer tells of degradations? Edits of features are the test."""
