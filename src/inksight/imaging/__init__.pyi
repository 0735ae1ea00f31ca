from .file_pages import FilePage as FilePage, pages as pages
from .grayscale import Picture as Picture, to_grayscale as to_grayscale
from .preprocessing import Prepared as Prepared, prepare as prepare
from .strokes import Strokes as Strokes
