"""Our reader as MLflow's model: ``log.py FOLDER_OF_THE_MODEL TARGET``."""

import sys
from pathlib import Path

import mlflow

mlflow.pyfunc.save_model(sys.argv[2], python_model=str(Path(__file__).with_name("model.py")))
