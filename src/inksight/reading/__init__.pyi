from .grid import Cell as Cell, Grid as Grid
from .line import Line as Line, Sign as Sign
from .page import Page as Page, Reading as Reading
from .reader import read as read
from .segmentation import segment as segment
