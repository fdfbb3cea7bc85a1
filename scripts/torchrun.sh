#!/usr/bin/env bash
# One training over several machines. On each of them, with its own NODE_RANK (0, 1, ...):
#   NODES=2 NODE_RANK=0 HEAD=host0 GPUS=8 scripts/torchrun.sh model=resnet50 study=big
# `study` is needed: it is where all processes meet. The batch size stays global.
set -euo pipefail
: "${NODES:=1}" "${NODE_RANK:=0}" "${HEAD:=localhost}" "${PORT:=29500}" "${GPUS:=1}"
case " $* " in *" study="*) ;; *) echo "study=<name> is needed" >&2; exit 2 ;; esac
exec python -m torch.distributed.run --nnodes "$NODES" --node-rank "$NODE_RANK" --nproc-per-node "$GPUS" \
  --master-addr "$HEAD" --master-port "$PORT" \
  -m cnnlab train "trainer.num_nodes=$NODES" "trainer.devices=$GPUS" "$@"
