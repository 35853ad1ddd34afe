"""What every backend has to do, whatever it is made of.

class TestMine(Contract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Place: ...
"""

from tests.index.contract_life import LifeContract
from tests.index.contract_rows import RowContract
from tests.index.contract_search import SearchContract


class Contract(RowContract, SearchContract, LifeContract):
    """All of it. A subclass has the fixture `place`."""
