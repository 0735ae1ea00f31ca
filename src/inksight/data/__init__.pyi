from .corrections import apply_corrections as apply_corrections
from .dataset import Dataset as Dataset, join as join
from .kaggle import write_submission as write_submission
from .loading import as_dataset as as_dataset, as_splits as as_splits, load as load, write_csv as write_csv
from .splits import Splits as Splits
