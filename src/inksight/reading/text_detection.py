"""Text detection: a page of printed or written text is told from a page of digits by how sure the network is.

Many letters look like digits: l like 1, o like 0, g like 9. One by one they are read without doubt. On a whole page,
though, far more characters than among digits leave the network in doubt.
"""

import numpy as np
from numpy.typing import ArrayLike

MIN_CHARACTERS = 40  # on a page: fewer tell too little
PRIOR = 1e-4  # probability that a page is text, before anything is read on it
CONFIDENCES = (0.9, 0.99)  # bounds of three ranges of confidence
# Shares of characters in each range. Composed photos have 1, 2 and 97 % of their digits there; these shares leave room
# for handwriting and models of which less is known. Text was measured in five fonts and three sizes.
DIGIT_SHARES = (0.03, 0.06, 0.91)
TEXT_SHARES = (0.15, 0.18, 0.67)


def probability_of_digits(confidence: ArrayLike) -> float:
    """Return the probability that a page holds digits and not text: Bayes' rule, with independent characters.

    Parameters
    ----------
    confidence : (n,) float
        The confidence of each character on the page, 0 for a rejected one.

    Examples
    --------
    >>> probability_of_digits([0.999] * 95 + [0.95] * 3 + [0.0] * 2) > 0.9999
    True
    >>> probability_of_digits([0.999] * 65 + [0.95] * 20 + [0.0] * 15) < 0.0001
    True
    """
    values = np.asarray(confidence, np.float64)
    if len(values) < MIN_CHARACTERS:
        return 1.0
    counts = np.bincount(np.digitize(values, CONFIDENCES), minlength=len(DIGIT_SHARES))
    log_ratio = float(counts @ (np.log(TEXT_SHARES) - np.log(DIGIT_SHARES)))
    return float(1 / (1 + np.exp(np.minimum(np.log(PRIOR / (1 - PRIOR)) + log_ratio, 700))))
