"""Methods that come with faceedit-bench, one folder each; installed as `faceedit_plugins`."""
