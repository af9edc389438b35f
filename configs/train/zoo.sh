#!/bin/sh
# Retrains every shipped method with equal budgets: same faces, steps and batches. Run it from the repository's
# root; options go to each training, for example `sh configs/train/zoo.sh --device cuda`. JOBS trainings run at
# once. Stopped, the same command goes on where each training was.
set -eu
printf '%s\n' lstunet stgan attgan stargan coogan secgan-attgan | xargs -P "${JOBS:-1}" -I{} \
    faceedit-bench train --config configs/train/{}-demo.toml "$@"
echo "weights and cards are in training/; to ship them:"
echo "  for m in lstunet stgan attgan stargan coogan; do cp training/\$m-demo/\$m-demo.* plugins/\$m/; done"
echo "  cp training/secgan-attgan-demo/secgan-attgan-demo.* plugins/secgan/"
