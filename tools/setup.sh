#!/bin/sh
# Install uv below .uv (`setup.sh uv`), or the project's packages below .venv (`setup.sh venv`). Called by the Makefile,
# which knows what is out of date. Nothing outside these two folders is touched, and no Python is downloaded.
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}

refuse() {
    printf '%s\n%s\n' "$1" "$2" >&2
    exit 1
}

install_uv() {
    command -v "$PYTHON" >/dev/null ||
        refuse "找不到 ${PYTHON}。请安装 Python 3.11 或更高版本。" "There is no $PYTHON. Install Python 3.11 or later."
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        refuse "需要 Python 3.11 或更高版本；请用 make PYTHON=… 指定。" \
            "Python 3.11 or later is needed; name one by: make PYTHON=…"
    "$PYTHON" -m pip --version >/dev/null 2>&1 ||
        refuse "缺少 pip。请安装系统软件包 python3-pip。" "pip is missing. Install the package python3-pip."
    echo "Installing uv below .uv …"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --upgrade \
        --require-hashes --target .uv -r requirements-bootstrap.lock
    touch .uv/.ready
}

install_packages() {
    export UV_PYTHON_DOWNLOADS=never
    # One that works is kept, so that a second setup does not pull the floor from under a running server.
    if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        .uv/bin/uv venv --quiet --clear --python "$PYTHON" .venv
    fi
    echo "Installing the packages of requirements.lock below .venv …"
    .uv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock
    .uv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
    touch .venv/.ready
}

case "${1:-}" in
    uv) install_uv ;;
    venv) install_packages ;;
    *) refuse "用法：setup.sh uv|venv" "Usage: setup.sh uv|venv" ;;
esac
