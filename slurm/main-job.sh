#!/bin/bash
# The main process in a job of its own, for sites where nothing may run on login nodes for long:
#
#     sbatch --partition=cpu --account=my-project slurm/main-job.sh thesis
#
# What follows the name of this file is given to `snakemake --profile slurm` (PROFILE=slurm-gres sbatch ... for another).
# Fifteen minutes before its limit it does what Ctrl-C does, so that every job saves where it is, and hands itself in
# again with the same options. A main process whose node was lost starts again, too. `scancel` ends it for good.

#SBATCH --job-name=main-process
#SBATCH --time=2-00:00:00
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --signal=B:INT@900
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=main-process-%j.log

set -m # a program in the background does not see SIGINT otherwise
cd "${SLURM_SUBMIT_DIR:-.}" || exit 1
[ -d .venv/bin ] && PATH=$PWD/.venv/bin:$PATH
profile=${PROFILE:-slurm}
job=${SLURM_JOB_ID:?this is for sbatch}

# The main process before this one was lost with its node, or ended a moment ago.
[ "${SLURM_RESTART_COUNT:-0}" = 0 ] || snakemake --profile "$profile" --unlock

again= ended=
trap 'again=yes ended=yes; kill -INT "$!" 2>/dev/null' INT
trap 'ended=yes; kill -INT "$!" 2>/dev/null' TERM
snakemake --profile "$profile" "$@" &
main=$!
[ -z "$ended" ] || kill -INT "$main" 2>/dev/null # the signal came before there was anybody to tell
# A signal ends `wait`, not the main process.
while
    wait "$main"
    code=$?
    kill -0 "$main" 2>/dev/null
do :; done

if [ -n "$again" ] && [ "$code" != 0 ]; then
    echo "the time limit of this job is near: handed in again, the study goes on"
    scontrol requeue "$job" || sbatch --partition="$SLURM_JOB_PARTITION" ${SLURM_JOB_ACCOUNT:+--account="$SLURM_JOB_ACCOUNT"} \
        "$PWD/slurm/main-job.sh" "$@"
fi
exit "$code"
