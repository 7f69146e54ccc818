"""Train runs, a run being a policy and a seed, and predict with what was trained."""
