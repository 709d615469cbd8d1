import subprocess
import sys

CODE = """
import sys
import pyarrow as pa
from persuasion.arrow import without_pandas
{call}
pa.array([1])
print("pandas" in sys.modules)
import pandas
"""


def test_arrow_leaves_pandas_alone_and_others_may_import_it():
    for call, imported in (("without_pandas()", "False"), ("", "True")):
        code = (sys.executable, "-c", CODE.format(call=call))
        assert subprocess.run(code, capture_output=True, text=True, check=True).stdout.strip() == imported
