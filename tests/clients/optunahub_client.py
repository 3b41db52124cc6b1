"""The unmodified OptunaHub on an exported registry: `python optunahub_client.py FOLDER PACKAGE CELL_DIGITS`; JSON."""

import json
import sys

import optuna
import optunahub

optuna.logging.set_verbosity(optuna.logging.ERROR)
folder, package, digits = sys.argv[1:]
module = optunahub.load_local_module(package=package, registry_root=folder)
problem = module.Problem()
params = {edge: module.OPERATIONS[int(digit)] for edge, digit in zip(module.EDGES, digits, strict=True)}
study = optuna.create_study(
    directions=problem.directions,
    sampler=optuna.samplers.TPESampler(seed=1),
    pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
)
study.enqueue_trial(params)
study.optimize(problem, n_trials=150)
states = [trial.state.name for trial in study.trials]
cut = [trial for trial in study.trials if trial.state.name == "PRUNED" and trial.intermediate_values]
answers = {
    "evaluate": problem.evaluate(params),
    "test": problem.test(params),
    "of_a_seed": module.Problem(seed=888).evaluate(params),
    "reported": study.trials[0].intermediate_values,
    "value": study.trials[0].value,
    "complete": states.count("COMPLETE"),
    "pruned_on_the_way": len(cut),
    "best": study.best_value,
    "best_params": study.best_params,
}
print("JSON", json.dumps(answers))
