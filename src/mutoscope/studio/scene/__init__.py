"""The scene painter: prompts become landscapes, skies, cities and abstracts, with their depth.

Everything that a picture is made of is a module here, named by its noun: the words (lexicon), the light (palette),
the composition (stage), sky, ground, water, trees, and the finish (grade). It needs NumPy and OpenCV only.
"""

from mutoscope.studio.scene.painting import LARGEST, SMALLEST, Card, Painting, paint, restyle

__all__ = ["LARGEST", "SMALLEST", "Card", "Painting", "paint", "restyle"]
