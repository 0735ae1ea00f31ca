from .server import serve as serve
from .site import write_page as write_page, write_site as write_site
