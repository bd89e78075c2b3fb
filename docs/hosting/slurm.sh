#!/bin/bash
# Workers on a SLURM cluster, without anything more to install: sbatch docs/hosting/slurm.sh, from the project's folder.
# The batch script runs the scheduler; its address is written to $DLCORE_STATE/scheduler, which all nodes must see. Start the
# web server, on a node that reaches it, with: DLCORE_SCHEDULER=$(cat $DLCORE_STATE/scheduler) streamlit run app.py
#SBATCH --job-name=playground
#SBATCH --ntasks=6
#SBATCH --cpus-per-task=2
#SBATCH --mem-per-cpu=2G
#SBATCH --time=04:00:00
set -euo pipefail
: "${DLCORE_STATE:?a folder that all nodes see}"
here=$(hostname -i | cut -d' ' -f1)
address=tcp://$here:8786
worker=(.venv/bin/dask worker "$address" --no-dashboard --preload dlcore.jobs.worker)

.venv/bin/dask scheduler --host "$here" --port 8786 --no-dashboard &
sleep 5
echo "$address" >"$DLCORE_STATE/scheduler"
srun --exclusive --ntasks=1 "${worker[@]}" --nthreads 8 --resources light=8 &
srun --exclusive --ntasks=1 "${worker[@]}" --nthreads 2 --resources interactive=2 &
srun --exclusive --ntasks=4 "${worker[@]}" --nthreads 1 --resources train=1 &
wait
