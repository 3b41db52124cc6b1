# Sourced by the stand-ins: `real` becomes the program of the same name that is SLURM's own (empty where there is none),
# and SLURM_CONF is what it was before the executor deleted it, which it does when it runs inside a job.

name=$(basename "$0")
real=
while read -r found; do
    [ "$(readlink -f "$found")" = "$(readlink -f "$0")" ] || { real=$found; break; }
done < <(type -ap "$name")
[ -z "${SKELNAS_SLURM_CONF:-}" ] || export SLURM_CONF=$SKELNAS_SLURM_CONF
