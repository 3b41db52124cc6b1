import importlib.metadata
import platform

from skelnas import __version__
from skelnas.environment import versions


def test_versions_in_the_order_asked_for_and_empty_where_nothing_is_installed():
    found = versions(["numpy", "no-such-package"])
    assert list(found) == ["python", "skelnas", "numpy", "no-such-package"]
    assert found == {
        "python": platform.python_version(),
        "skelnas": __version__,
        "numpy": importlib.metadata.version("numpy"),
        "no-such-package": "",
    }
