"""Searches of the unmodified syne-tune: `python syne_tune_searches.py FOLDER TASK RUNS SECONDS LOOK`; JSON.

Regularised evolution and ASHA run on an exported folder in its simulator with one worker, with 0, 1, ... as seeds,
until that many simulated seconds have gone; every LOOK of them the tuner looks at the training, which must be less than
an epoch takes. For each run the trainings in their order: the six operations, the seed and the last epoch of each.
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
folder, task, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
seconds, look = map(float, sys.argv[4:6])
blackbox = deserialize(folder)[task]
epochs = int(max(blackbox.fidelity_values))
space = {**blackbox.configuration_space, "epochs": epochs}
names = sorted(blackbox.configuration_space)
error = {"metric": "metric_valid_error", "do_minimize": True}
schedulers = {
    "evolution": lambda seed: REA(space, population_size=10, sample_size=3, random_seed=seed, **error),
    "halving": lambda seed: ASHA(space, time_attr="hp_epoch", max_t=epochs, random_seed=seed, **error),
}
answers: dict = {name: [] for name in schedulers}
for name, make in schedulers.items():
    for seed in range(runs):
        np.random.seed(seed)  # syne-tune draws the first population, and each training's seed, from there
        backend = UserBlackboxBackend(
            blackbox, elapsed_time_attr="metric_elapsed_time", max_resource_attr="epochs", tuner_sleep_time=look
        )
        callback = SimulatorCallback()
        Tuner(
            trial_backend=backend,
            scheduler=make(seed),
            stop_criterion=StoppingCriterion(max_wallclock_time=seconds),
            n_workers=1,
            sleep_time=0,
            callbacks=[callback],
            save_tuner=False,
            tuner_name=f"skelnas-{name}-{seed}",
            print_update_interval=10**6,
        ).run()
        found = callback.dataframe()
        last = found.loc[found.groupby("trial_id")["hp_epoch"].idxmax()].sort_values("trial_id")
        trials = zip(
            last["trial_id"], last[[f"config_{one}" for one in names]].to_numpy(), last["hp_epoch"], strict=True
        )
        answers[name].append(
            [[*operations, backend._seed_for_trial[trial], int(epoch)] for trial, operations, epoch in trials]
        )
print("JSON", json.dumps(answers, default=int))
