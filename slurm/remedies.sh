# Sourced by sbatch's stand-in, with what sbatch said in `output` and `errors`: what to tell people of a refusal.

# sbatch's own words as one line; where it said nothing itself, those of the site's filter, without welcome and checks passed.
one_line() {
    { grep '^sbatch:' <<<"$errors" || grep -vE '^[-= ]*$|OK$|Welcome' <<<"$output"$'\n'"$errors"; } |
        sed -E 's/^ *sbatch: (error: )?//' | tr -s '[:space:]' ' ' | sed 's/^ //; s/ $//'
}

# What may be done about a refusal, as the end of a sentence; empty where nothing is known of it. The narrow words first.
remedy() {
    local text
    # The sentence that SLURM puts after every limit names all limits.
    text=$(tr '[:upper:]' '[:lower:]' <<<"$(one_line)" | sed "s/job violates accounting.*limits)//")
    case $text in
        *"unable to contact"*) echo "; SLURM's controller is away: call again later" ;;
        *nodes*specif* | *specif*nodes* | *"--nodes"* | *" -n "*required*)
            echo "; write \`nodes: 1\` under default-resources in the profile" ;;
        *"invalid account"* | *account*)
            echo "; write one of these as slurm_account into the profile: $(accounts)" ;;
        *partition*)
            echo "; write one of these as slurm_partition into the profile: $(partitions) (or delete the line where jobs" \
                "are sent to partitions by their time: skelnas profile no-partition)" ;;
        *"time limit"* | *walltime* | *"wall time"* | *wallduration*)
            echo "; lower runtime (minutes) under train in the profile: a shard goes on in its next job" ;;
        *"--gpus-per-task"* | *"--gpus"* | *"--gres"* | *gres* | *gpu*)
            echo "; ask for the GPU in another way: skelnas profile gres, gpus-per-node, whole-node or nothing-asked" ;;
        *memory* | *"--mem"*)
            echo "; write mem_mb: 0 under train AND under default-resources, which leaves --mem away" ;;
        *qos*) echo "; write the qos that your site names under train in the profile (docs/cluster.md)" ;;
        *"node configuration is not available"* | *"node count"* | *cpus*)
            echo "; no node of that partition has so many cores, GPUs or so much memory: see sinfo -o '%P %c %m %G %l'" ;;
        *) echo "; docs/cluster.md has a table of the kinds of sites, skelnas profile KIND makes a profile for each" ;;
    esac
}

accounts() {
    local found
    found=$(timeout 10 sacctmgr --noheader --parsable2 show associations user="$(id -un)" format=account 2>/dev/null |
        sort -u | paste -sd' ')
    echo "${found:-those that your site told you}"
}

partitions() {
    local found
    found=$(timeout 10 sinfo --noheader --format=%R 2>/dev/null | sort -u | paste -sd' ')
    echo "${found:-sinfo does not answer}"
}
