"""Build the wheel, install it into an empty environment, and recall from outside the checkout: what a user of the package gets."""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECALL = """
import numpy as np, spikemem, pathlib
assert "site-packages" in spikemem.__file__, spikemem.__file__
memory = spikemem.Hippocampus(spikemem.load_model("hippocampus-small"))
vectors = np.random.default_rng(0).normal(size=(40, 384))
memory.store(vectors)
assert (memory.recall(vectors).ids[:, 0] == np.arange(40)).all()
print("recalled 40 of 40 from", pathlib.Path(spikemem.__file__).parent)
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        outside = Path(folder)
        subprocess.run([sys.executable, "-m", "build", "--wheel", "--outdir", folder, str(ROOT)], check=True, stdout=subprocess.DEVNULL)
        wheel = next(outside.glob("*.whl"))
        top = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
        assert top == {"spikemem", next(t for t in top if t.endswith(".dist-info"))}, top
        names = zipfile.ZipFile(wheel).namelist()
        data = "corpus/demo.json", "corpus/conversation.json", "report.html", "py.typed"
        for needed in ("models/hippocampus-base.toml", "models/weights/ec-minilm.safetensors", *data):
            assert f"spikemem/{needed}" in names, needed
        venv.create(outside / "env", with_pip=True)
        python = outside / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
        install = [str(python), "-m", "pip", "install", "--quiet", "--constraint", str(ROOT / "constraints.txt")]
        subprocess.run([*install, "torch"], check=True)
        subprocess.run([*install, str(wheel)], check=True)
        subprocess.run([str(python), "-c", RECALL], check=True, cwd=outside)
        answer = subprocess.run(
            [str(python), "-m", "spikemem", "recall", "none.db", "x"], cwd=outside, capture_output=True, text=True, check=False
        )
        assert answer.returncode == 2, answer
        assert "store something first" in answer.stderr, answer
        stored = subprocess.run(
            [str(python), "-m", "spikemem", "store", "brain.db", "x"], cwd=outside, capture_output=True, text=True, check=False
        )
        assert stored.returncode == 2, stored
        assert "spikemem[text]" in stored.stderr, stored
    shutil.rmtree(ROOT / "build", ignore_errors=True)
    print("the wheel installs, carries its models, and recalls")


if __name__ == "__main__":
    main()
