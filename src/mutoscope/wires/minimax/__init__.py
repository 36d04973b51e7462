"""MiniMax: Hailuo videos in two versions of the API, and pictures, speech and music that are answered at once."""
