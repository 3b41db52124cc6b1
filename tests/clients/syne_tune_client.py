"""The unmodified syne-tune on an exported folder: `python syne_tune_client.py FOLDER TASK SECONDS`; JSON.

ASHA and regularised evolution run in its simulator with four workers; what they saw is printed.
"""

import json
import logging
import sys

import numpy as np
from syne_tune import StoppingCriterion, Tuner
from syne_tune.backend.simulator_backend.simulator_callback import SimulatorCallback
from syne_tune.blackbox_repository import UserBlackboxBackend
from syne_tune.blackbox_repository.blackbox_tabular import deserialize
from syne_tune.optimizer.baselines import ASHA, REA

logging.getLogger().setLevel(logging.ERROR)
folder, task, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
blackbox = deserialize(folder)[task]
epochs = int(max(blackbox.fidelity_values))
answers: dict = {
    "shape": list(blackbox.objectives_evaluations.shape),
    "values": blackbox.objective_function(dict(blackbox.hyperparameters.iloc[5]), seed=1).tolist(),
    "names": blackbox.objectives_names,
}
space = {**blackbox.configuration_space, "epochs": epochs}
schedulers = {
    "ASHA": ASHA(
        space, metric="metric_valid_error", time_attr="hp_epoch", max_t=epochs, do_minimize=True, random_seed=3
    ),
    "REA": REA(space, metric="metric_valid_error", do_minimize=True, population_size=10, sample_size=5, random_seed=3),
}
for name, scheduler in schedulers.items():
    backend = UserBlackboxBackend(blackbox, elapsed_time_attr="metric_elapsed_time", max_resource_attr="epochs", seed=0)
    callback = SimulatorCallback()
    tuner = Tuner(
        trial_backend=backend,
        scheduler=scheduler,
        stop_criterion=StoppingCriterion(max_wallclock_time=seconds),
        n_workers=4,
        sleep_time=0,
        callbacks=[callback],
        save_tuner=False,
        tuner_name=f"skelnas-{name.lower()}",
        print_update_interval=10**6,
    )
    tuner.run()
    found = tuner.tuning_status
    best = found.overall_metric_statistics.min_metrics["metric_valid_error"]
    trials = found.num_trials_started
    answers[name] = {"best": float(best), "trials": int(trials), "reports": int(found.overall_metric_statistics.count)}
answers["smallest"] = float(np.min(blackbox.objectives_evaluations[:, 0, :, 0]))
print("JSON", json.dumps(answers))
