#!/usr/bin/env python3
"""Asks a GalleonFS server for its health and its services as any gRPC client would.

    grpc-foreign-client.py TARGET [SERVICE...]

TARGET is what grpcio takes: unix:///run/csi.sock, 127.0.0.1:8090. Checks health (Check and Watch),
lists the services by reflection, in both versions of the protocol, resolves every service and the
types of all its methods, and calls a method that does not exist. Each SERVICE must be among those
that are listed. GALLEONFS_TOKEN is sent as bearer token if set.

Needs Python's grpcio, grpcio-health-checking and grpcio-reflection; when they are missing, it
installs them into a virtual environment under /tmp and runs there.
"""

import os
import subprocess
import sys
import tempfile


def reexec_in_environment():
    home = os.path.join(tempfile.gettempdir(), f"galleonfs-grpc-venv-{os.getuid()}")
    python = os.path.join(home, "bin", "python")
    if sys.executable == python:
        raise SystemExit("grpcio is installed but cannot be imported")
    if not os.path.exists(os.path.join(home, "ready")):
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "grpcio",
             "grpcio-health-checking", "grpcio-reflection"], check=True)
        open(os.path.join(home, "ready"), "w").close()
    os.execv(python, [python, *sys.argv])


try:
    import grpc
    from google.protobuf import descriptor_pool
    from grpc_health.v1 import health_pb2, health_pb2_grpc
    from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
        ProtoReflectionDescriptorDatabase)
except ImportError:
    reexec_in_environment()

TIMEOUT = 10
failures = 0


def check(sentence, condition, found=""):
    global failures
    print(f"   {'ok   ' if condition else 'FAIL '} {sentence}" + ("" if condition else f": {found}"))
    failures += not condition


def code_of(call):
    try:
        call()
        return grpc.StatusCode.OK
    except grpc.RpcError as error:
        return error.code()


def check_health(channel, metadata):
    stub = health_pb2_grpc.HealthStub(channel)
    answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT, metadata=metadata)
    check("health answers for the server as a whole",
          answer.status in (health_pb2.HealthCheckResponse.SERVING,
                            health_pb2.HealthCheckResponse.NOT_SERVING), answer)
    unknown = health_pb2.HealthCheckRequest(service="no.such.Service")
    code = code_of(lambda: stub.Check(unknown, timeout=TIMEOUT, metadata=metadata))
    check("health of an unknown service is not found", code == grpc.StatusCode.NOT_FOUND, code)
    watch = stub.Watch(unknown, timeout=TIMEOUT, metadata=metadata)
    first = next(watch)
    check("a watch of an unknown service says so and stays open",
          first.status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN, first)
    watch.cancel()


def check_both_versions(channel, metadata):
    answers = []
    for version in ("v1alpha", "v1"):
        ask = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString)
        requests = [reflection_pb2.ServerReflectionRequest(list_services=""),
                    reflection_pb2.ServerReflectionRequest(file_containing_symbol="no.Such")]
        listed, missing = ask(iter(requests), timeout=TIMEOUT, metadata=metadata)
        answers.append(sorted(s.name for s in listed.list_services_response.service))
        check(f"reflection {version} says that an unknown symbol is not found",
              missing.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0], missing)
    check("both versions of reflection list the same services", answers[0] == answers[1], answers)
    return answers[0]


def check_reflection(channel, wanted):
    database = ProtoReflectionDescriptorDatabase(channel)
    pool = descriptor_pool.DescriptorPool(database)
    for name in wanted:
        try:
            service = pool.FindServiceByName(name)
            types = [(m.input_type.full_name, m.output_type.full_name) for m in service.methods]
            check(f"{name}: {len(types)} methods with all their types", len(types) > 0)
        except Exception as error:  # Whatever the library raises is the finding.
            check(f"{name} is described", False, repr(error))


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    target, expected = sys.argv[1], sys.argv[2:]
    token = os.environ.get("GALLEONFS_TOKEN")
    metadata = [("authorization", f"Bearer {token}")] if token else []
    with grpc.insecure_channel(target, options=[("grpc.enable_http_proxy", 0)]) as channel:
        grpc.channel_ready_future(channel).result(timeout=TIMEOUT)
        check_health(channel, metadata)
        listed = check_both_versions(channel, metadata)
        for name in expected:
            check(f"{name} is listed", name in listed, listed)
        if not token:  # The library's reflection client sends no metadata.
            check_reflection(channel, listed)
        unknown = channel.unary_unary("/no.such.Service/Method")
        code = code_of(lambda: unknown(b"", timeout=TIMEOUT, metadata=metadata))
        check("an unknown method is unimplemented", code == grpc.StatusCode.UNIMPLEMENTED, code)
    raise SystemExit(1 if failures else 0)


main()
