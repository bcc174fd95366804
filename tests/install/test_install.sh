#!/usr/bin/env bash
# Install into a scratch prefix and build the examples against what was installed, as a stranger would:
# with cc and pkg-config alone. The one without ports is run, against the shared library.
set -euo pipefail
source=$1 build=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
meson install -C "$build" --no-rebuild --quiet --destdir "$scratch" >/dev/null
prefix=$scratch$(meson introspect --buildoptions "$build" |
    python3 -c 'import json,sys; print(next(o["value"] for o in json.load(sys.stdin) if o["name"]=="prefix"))')
pc=$(find "$prefix" -name tern.pc -printf '%h')
sed -i "s|^prefix=.*|prefix=$prefix|" "$pc/tern.pc" # DESTDIR moved it
export PKG_CONFIG_PATH=$pc
for example in "$source"/app/examples/*.c; do
    # shellcheck disable=SC2046
    cc -O2 -Wall -Wextra -Werror -o "$scratch/$(basename "$example" .c)" "$example" $(pkg-config --cflags --libs tern)
    echo "built $(basename "$example") ($(wc -l <"$example") lines)"
done
LD_LIBRARY_PATH=$(dirname "$(find "$prefix" -name 'libtern.so' | head -1)") "$scratch/two_in_virtual_time"
"$prefix/bin/tern" --version
