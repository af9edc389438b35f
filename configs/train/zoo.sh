#!/bin/sh
# Retrains every shipped method. The first seven have equal budgets: same faces, steps and batches. Run it from the
# repository's root; options go to each training, for example `sh configs/train/zoo.sh --device cuda`. JOBS trainings
# run at once. Stopped, the same command goes on where each training was.
set -eu
printf '%s\n' lstunet stgan attgan stargan coogan secgan-attgan secgan-stargan sagan e4e | xargs -P "${JOBS:-1}" -I{} \
    faceedit-bench train --config configs/train/{}-demo.toml "$@"
faceedit-bench train --config configs/train/gradstyle-demo.toml --weights-from training/e4e-demo/e4e-demo.safetensors "$@"
echo "weights and cards are in training/; to ship them:"
echo "  for m in lstunet stgan attgan stargan coogan sagan e4e gradstyle; do cp training/\$m-demo/\$m-demo.* plugins/\$m/; done"
echo "  for m in secgan-attgan secgan-stargan; do cp training/\$m-demo/\$m-demo* plugins/secgan/; done"
