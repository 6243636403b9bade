#!/bin/sh
# make-release.sh PROGRAM FOLDER: a tarball and a Debian package of a static PROGRAM.
#
# The output is reproducible: owners, order and times are fixed (SOURCE_DATE_EPOCH, by
# default that of the commit).
set -eu
program=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
cd "$(dirname "$0")/.."

version=$(cat VERSION)
arch=$(dpkg --print-architecture)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
umask 022
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT

strip -o "$room/program" "$program"
program=$room/program
name=twilight-deploy-$version-linux-$arch
mkdir "$room/$name"
install -m 0755 "$program" "$room/$name/twilight-deploy"
cp -R README.md CHANGELOG.md SECURITY.md LICENSE deploy docs "$room/$name/"
tar -C "$room" --sort=name --owner=0 --group=0 --numeric-owner \
	--mtime="@$SOURCE_DATE_EPOCH" -cf - "$name" | gzip -9n >"$out/$name.tar.gz"

deb=$room/deb
install -D -m 0755 "$program" "$deb/usr/bin/twilight-deploy"
doc=$deb/usr/share/doc/twilight-deploy
install -D -m 0644 LICENSE "$doc/copyright"
install -m 0644 README.md "$doc/"
install -d "$deb/usr/share/man/man8"
gzip -9n <docs/twilight-deploy.8 >"$deb/usr/share/man/man8/twilight-deploy.8.gz"
mkdir "$deb/DEBIAN"
cat >"$deb/DEBIAN/control" <<END
Package: twilight-deploy
Version: $version
Architecture: $arch
Section: admin
Priority: optional
Maintainer: The twilight-deploy developers <noreply@users.noreply.github.com>
Installed-Size: $(du -k -s "$deb/usr" | awk '{ print $1 }')
Recommends: openssh-server
Suggests: docker-compose-plugin
Description: deploy Docker Compose services as an SSH forced command
 A key in authorized_keys can deploy a version and little else.  The program pulls
 the image, changes one line of .env, runs docker compose up and verifies the new
 container; if that fails, the previous image runs again.
END
(cd "$deb" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$deb/DEBIAN/md5sums"
find "$deb" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zxz --build "$deb" "$out/twilight-deploy_${version}_$arch.deb" >/dev/null
ls -l "$out"
