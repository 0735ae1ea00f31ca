from .diagnostics import examine as examine
from .library import available as available, isa as isa, peak as peak, threads as threads, use as use
