#!/usr/bin/env bash
# Renders the chart to the plain manifests in this directory.
#
#   Deploy/render.sh          writes Deploy/galleonfs.yaml
#   Deploy/render.sh --check  exits 1 and shows the difference if it is not fresh
#
# $HELM names the program that renders, `helm` by default.
set -eu -o pipefail
cd "$(dirname "$0")/.."

helm=${HELM:-helm}
if ! command -v "$helm" >/dev/null; then
  # A stand-in that lies beside the repository where the real one cannot be had.
  helm=../shared/tools/helm
  [ -x "$helm" ] || { echo "helm is missing; set HELM to a program that renders charts" >&2; exit 2; }
fi

chart=Helm/galleonfs
target=Deploy/galleonfs.yaml
fresh=$(mktemp)
trap 'rm -f "$fresh" "$fresh.all"' EXIT

"$helm" lint "$chart" >"$fresh" || { cat "$fresh"; exit 1; }
# Values that a user may set must render too.
for values in etcd.enabled=false,etcd.endpoints=null etcd.replicas=3 metrics.enabled=true \
  networkPolicy.enabled=true etcd.persistence.enabled=false node.zone=a; do
  case $values in
    etcd.enabled=false*)
      printf 'etcd: {enabled: false, endpoints: ["etcd.example:2379"]}\n' >"$fresh.all"
      "$helm" template galleonfs "$chart" --namespace galleonfs-system -f "$fresh.all" >"$fresh"
      ;;
    *) "$helm" template galleonfs "$chart" --namespace galleonfs-system --set "$values" >"$fresh" ;;
  esac
  [ -s "$fresh" ] || { echo "the chart renders nothing with $values" >&2; exit 1; }
done
if "$helm" template galleonfs "$chart" --set node.storagePaht=/x >/dev/null 2>&1; then
  echo "the chart takes a value that it does not know" >&2
  exit 1
fi

{
  echo "# Rendered from $chart by Deploy/render.sh; change the chart, not this file."
  echo "# kubectl apply -f Deploy/galleonfs.yaml"
  cat <<'NAMESPACE'
---
apiVersion: v1
kind: Namespace
metadata:
  name: galleonfs-system
  labels:
    # The node service mounts file systems and is privileged.
    pod-security.kubernetes.io/enforce: privileged
NAMESPACE
  # Renderers differ in trailing blanks and blank lines only.
  "$helm" template galleonfs "$chart" --namespace galleonfs-system | sed 's/[[:space:]]*$//' |
    grep -v '^$'
} >"$fresh"

if [ "${1:-}" = --check ]; then
  diff -u "$target" "$fresh" || { echo "$target is not fresh: run Deploy/render.sh" >&2; exit 1; }
  echo "$target is fresh ($(grep -c '^kind:' "$target") objects)"
else
  cp "$fresh" "$target"
  chmod 644 "$target"
  echo "wrote $target ($(grep -c '^kind:' "$target") objects)"
fi
