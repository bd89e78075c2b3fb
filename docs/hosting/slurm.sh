#!/bin/bash
# Workers on a SLURM cluster, without anything more to install: sbatch docs/hosting/slurm.sh, from the project's folder.
# The batch script runs the scheduler; its address is written to $DLCORE_STATE/scheduler, which all nodes must see. Start the
# web server, on a node that reaches it, with:
#   source docs/hosting/tls.sh; DLCORE_SCHEDULER=$(cat $DLCORE_STATE/scheduler) streamlit run app.py
#SBATCH --job-name=playground
#SBATCH --ntasks=6
#SBATCH --cpus-per-task=2
#SBATCH --mem-per-cpu=2G
#SBATCH --time=04:00:00
set -euo pipefail
export PATH=$PWD/.venv/bin:$PATH PYTHONPATH=$PWD # `dask` itself looks in its own folder only
export SRUN_CPUS_PER_TASK=${SLURM_CPUS_PER_TASK:-2} # since Slurm 22.05 srun does not take it from the job
source docs/hosting/tls.sh # other users of the cluster reach the scheduler's port, too
here=$(hostname -i | cut -d' ' -f1)
port=${SCHEDULER_PORT:-8786}
worker=(dask worker "tls://$here:$port" --memory-limit 3500MiB --no-dashboard --preload dlcore.jobs.worker) # of 2 × 2G

dask scheduler --protocol tls --host "$here" --port "$port" --no-dashboard &
until (exec 3<>"/dev/tcp/$here/$port") 2>/dev/null; do
  kill -0 $! # it has ended: so does this
  sleep 1
done
echo "tls://$here:$port" >"$DLCORE_STATE/scheduler"
srun --exclusive --ntasks=1 "${worker[@]}" --nthreads 8 --resources light=8 &
srun --exclusive --ntasks=1 "${worker[@]}" --nthreads 2 --resources interactive=2 &
srun --exclusive --ntasks=4 "${worker[@]}" --nthreads 1 --resources train=1 &
wait
