"""LiteLLM's own Runway client, pointed at us, makes a video.

It is not among the development dependencies: with its proxy it brings more packages than all of ours. Make it a virtual
environment of its own, `python -m venv FOLDER && FOLDER/bin/pip install litellm`, and name FOLDER in
MUTOSCOPE_TEST_LITELLM.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

FOLDER = os.environ.get("MUTOSCOPE_TEST_LITELLM", "")
CLIENT = """
import json, sys, time
import litellm

where = {"api_base": sys.argv[1] + "/v1", "api_key": "any"}
made = litellm.video_generation(
    prompt="sleep 0.3; waves", model="runwayml/gen4.5", seconds="5", size="1280x720", **where
)
states = [made.status]
while states[-1] not in ("completed", "failed"):
    time.sleep(0.2)
    states.append(litellm.video_status(made.id, **where).status)
content = litellm.video_content(made.id, **where)
print(json.dumps({"states": states, "bytes": len(content), "kind": content[4:8].decode("latin-1")}))
"""


@pytest.mark.skipif(not FOLDER, reason="set MUTOSCOPE_TEST_LITELLM to a virtual environment that has litellm")
def test_litellms_runway_client_makes_a_video(serve: Callable[..., str], tmp_path: Path) -> None:
    script = tmp_path / "client.py"
    script.write_text(CLIENT)
    url = serve(settings='[models."gen4.5"]\nengine = "script"\n')
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    command = [str(Path(FOLDER) / "bin" / "python"), str(script), url]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["states"][-1] == "completed"
    assert told["kind"] == "ftyp"
