from .application import Service as Service
from .limits import Limits as Limits
from .models import Models as Models
from .server import serve as serve, serving as serving
