"""Ways to work through shards. All satisfy `map(work, tasks) -> results`, in any order of completion."""
