#!/usr/bin/env bash
# Set up .venv with everything that studies and tests need. Safe to run again. With the argument
# "integration", also what `make test-integration` needs: a browser and what drives it, Slurm,
# and Fashion-MNIST.
#
# FFCV is compiled against OpenCV and libjpeg-turbo. Where these cannot be installed or FFCV does
# not compile, the set-up says so and goes on without it; studies then use the torchvision loader.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '== %s\n' "$*"; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo "$@"
    else
        return 1
    fi
}

install_system() {
    command -v apt-get >/dev/null || return 1
    say "installing system packages: $* (about a minute)"
    as_root apt-get update -qq &&
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

find_python() {
    local candidate
    for candidate in python3.12 python3.11 python3; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' \
            2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    say "Python 3.11 or 3.12 is needed (with venv): install python3 and python3-venv" >&2
    return 1
}

python=$(find_python)
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    install_system python3-venv || {
        say "$python has no venv module: install python3-venv"
        exit 1
    }
fi

# What FFCV is compiled with, and Python's own headers.
headers=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h
libraries_missing() {
    ! { command -v g++ && command -v pkg-config && [ -f "$headers" ] &&
        pkg-config --exists opencv4 libturbojpeg; } >/dev/null 2>&1
}
packages=(g++ pkg-config libopencv-dev libturbojpeg0-dev)
[ -f "$headers" ] || packages+=(python3-dev)
if libraries_missing && ! install_system "${packages[@]}"; then
    say "cannot install system packages here. For FFCV, install: ${packages[*]}"
fi
# Where ImageNet's classes stand among each other; without it all are equally similar.
if [ ! -f /usr/share/wordnet/data.noun ] && ! install_system wordnet-base; then
    say "going on without WordNet: for ImageNet's class tree, install wordnet-base"
fi

if [ ! -x .venv/bin/python ]; then
    say "creating .venv with $($python --version)"
    "$python" -m venv .venv
fi
say "installing Python packages at the versions of constraints.txt (7 GB, some minutes)"
.venv/bin/python -m pip install --quiet --upgrade pip
.venv/bin/python -m pip install --quiet --constraint constraints.txt \
    --editable '.[train,workflow,heic,completion]' --group test --group lint --group docs

if libraries_missing; then
    say "going on without FFCV: studies use the torchvision loader"
elif ! .venv/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[ffcv]' \
    >.venv/ffcv.log 2>&1; then
    say "FFCV does not build (see .venv/ffcv.log): studies use the torchvision loader"
fi

if [ "${1:-}" = integration ]; then
    if ! { [ -x /usr/sbin/slurmctld ] && [ -x /usr/sbin/munged ]; } &&
        ! install_system slurm-wlm munge; then
        say "cannot install slurm-wlm and munge here: the tests of Slurm will be skipped"
    fi
    if [ ! -d /usr/share/datasets/fashion-mnist ] && ! install_system dataset-fashion-mnist; then
        say "cannot install dataset-fashion-mnist here: the test of the real set will be skipped"
    fi
    # Fonts, so that class names of any script can be looked at.
    if ! command -v chromium >/dev/null && ! install_system chromium fonts-noto-core; then
        say "cannot install chromium here: install it for the tests of the report in a browser"
        exit 1
    fi
    .venv/bin/python -m pip install --quiet --constraint constraints.txt --group integration
fi
say "ready"
