from .allographs import add_allographs as add_allographs
from .corruptions import CORRUPTIONS as CORRUPTIONS, corrupt as corrupt
from .geometric import draw_lattices as draw_lattices
from .negatives import synthetic_negatives as synthetic_negatives
from .pen_style import restyle as restyle
from .user_function import ImageFunction as ImageFunction, apply_function as apply_function
