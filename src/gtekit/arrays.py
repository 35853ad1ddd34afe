"""Array types, and the legend of the shape letters used in every docstring.

B  texts in a batch          S  tokens of a packed batch     D  hidden size
H  attention heads           E  size of one head             F  feed-forward size
V  vocabulary                Q  queries                      N  documents, or all texts of a call
M  chunks                    K  results
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]
TokenIds: TypeAlias = NDArray[np.int32]
Array: TypeAlias = NDArray[Any]
