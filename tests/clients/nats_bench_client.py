"""The unmodified nats_bench on an exported folder: `python nats_bench_client.py FOLDER NAME HP CELL...`; JSON."""

import json
import sys

from nats_bench import create

folder, name, hp, *cells = sys.argv[1:]
api = create(folder, "tss", fast_mode=True, verbose=False)
answers: dict = {"length": len(api)}
for cell in map(int, cells):
    seeds = sorted(api.query_by_index(cell, name, hp))
    answers[cell] = {
        "seeds": seeds,
        "by_seed": {seed: api.get_more_info(cell, name, hp=hp, is_random=seed) for seed in seeds},
        "first_epoch": api.get_more_info(cell, name, iepoch=0, hp=hp, is_random=False),
        "mean": api.get_more_info(cell, name, hp=hp, is_random=False),
        "cost": api.get_cost_info(cell, name, hp=hp),
        "latency": api.get_latency(cell, name, hp),
        "config": api.get_net_config(cell, name),
        "index_of_string": api.query_index_by_arch(api.arch(cell)),
    }
    api.show(cell)
answers["best"] = {
    split: api.find_best(name, split, hp=hp, enforce_all=False) for split in ("valid", "x-valid", "test")
}
if name == "cifar100":
    answers["simulated"] = [api.simulate_train_eval(int(cell), name, hp=hp) for cell in cells]
else:
    try:
        api.simulate_train_eval(int(cells[0]), name, hp=hp)
    except ValueError as error:
        answers["refused"] = str(error)
print("JSON", json.dumps(answers))
