from .drawing import draw as draw
from .grammar import html as html
from .output import check_suffix as check_suffix, save as save, to_svg as to_svg
