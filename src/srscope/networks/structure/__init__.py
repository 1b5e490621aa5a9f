"""What a network looks like inside, and what it takes."""
