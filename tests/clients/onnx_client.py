"""The unmodified onnxruntime on an exported network: `python onnx_client.py FILE IMAGES.npy`; JSON."""

import json
import sys

import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
images = np.load(sys.argv[2])
[put], [taken] = session.get_inputs(), session.get_outputs()
answers = {
    "input": [put.name, put.type, put.shape],
    "output": [taken.name, taken.type, taken.shape],
    "logits": session.run(None, {put.name: images})[0].tolist(),
    "one": session.run(None, {put.name: images[:1]})[0].tolist(),
    "metadata": json.loads(session.get_modelmeta().custom_metadata_map["skelnas"]),
}
print("JSON", json.dumps(answers))
