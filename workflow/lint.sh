#!/usr/bin/env bash
# snakemake --lint with one exception: no rule names a conda environment or a container, because one
# environment, pinned in constraints.txt and made by workflow/setup.sh, serves them all.
set -euo pipefail
cd "$(dirname "$0")/.."
findings=$(.venv/bin/python -m snakemake --lint text --config study=configs/demo.yaml 2>&1 || true)
if ! grep -q -E '^Lints for|^Congratulations' <<<"$findings"; then
    echo "$findings"
    exit 1
fi
if grep '^    \* ' <<<"$findings" | grep -v 'Specify a conda environment or container'; then
    echo "snakemake --lint found the above"
    exit 1
fi
echo "snakemake --lint: clean, but for its wish for conda environments"
