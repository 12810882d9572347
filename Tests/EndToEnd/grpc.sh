#!/usr/bin/env bash
# A foreign gRPC client (Python's grpcio) asks the daemon for its health and its services, on the
# control API's port and on the CSI socket.
. "$(dirname "$0")/lib.sh"

client=$(dirname "$0")/grpc-foreign-client.py

daemon_start || finish
check "the control API answers a foreign client" \
  python3 "$client" "127.0.0.1:$ipc_port" galleonfs.v1.Volumes
check "CSI answers a foreign client" \
  python3 "$client" "unix://$csi_socket" csi.v1.Identity csi.v1.Controller csi.v1.Node
finish
