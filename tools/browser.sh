#!/bin/sh
# See that the tests find a browser and Chinese letters, and install them where we may. Called by `make test`; it never
# fails: without them the tests that need a page to be drawn skip, and say so.
set -u

missing=""
# With its Chinese words, so that the months in the pictures are Chinese too.
command -v chromium >/dev/null || missing="$missing chromium chromium-l10n"
ls /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc >/dev/null 2>&1 || missing="$missing fonts-noto-cjk"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing$missing for the tests …"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 # one word for each package
    if timeout 600 apt-get update -qq && timeout 900 apt-get install -y -qq --no-install-recommends $missing >/dev/null
    then
        exit 0
    fi
fi
echo "缺少$missing：需要浏览器的测试将被跳过。可用系统的软件包管理器安装。" >&2
echo "Not installed:$missing. The tests that need a browser will be skipped; install by the system's package manager." >&2
exit 0
