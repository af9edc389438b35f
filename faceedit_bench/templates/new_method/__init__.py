"""What `faceedit-bench new-method` writes: a plugin that works, under the name `my-method`."""
