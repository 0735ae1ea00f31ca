from .label_review import write_review as write_review
from .pictures import gallery as gallery
from .report import write_figures as write_figures, write_report as write_report
from .transcript import Transcript as Transcript
