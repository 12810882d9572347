# syntax=docker/dockerfile:1
# GalleonFS: all binaries with the Swift runtime inside, on a small Debian.
#
#   docker build -t galleonfs/galleonfs:0.1.0 .

ARG SWIFT_IMAGE=swift:6.3-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${SWIFT_IMAGE} AS build
RUN apt-get update -qq \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    libfuse3-dev libssl-dev libgrpc-dev libprotobuf-c-dev librocksdb-dev libxxhash-dev \
    libzstd-dev libcurl4-openssl-dev pkg-config \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /source
# The packages we depend on change less often than our sources.
COPY Package.swift ./
RUN swift package resolve
COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --static-swift-stdlib \
  && directory=$(swift build -c release --static-swift-stdlib --show-bin-path) \
  && mkdir /out \
  && for program in galleonfs galleonctl galleonfs-mountkeeper galleonfs-bench; do \
    install -s -m 0755 "$directory/$program" /out/ || exit 1; \
  done

FROM ${RUNTIME_IMAGE}
RUN apt-get update -qq \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    libfuse3-3 fuse3 libgrpc29 libprotobuf-c1 librocksdb7.8 libssl3 libxxhash0 libzstd1 \
    libcurl4 libstdc++6 \
    etcd-server e2fsprogs xfsprogs util-linux mount ca-certificates \
  && rm -rf /var/lib/apt/lists/* \
  && mkdir -p /var/lib/galleonfs
COPY --from=build /out/ /usr/local/bin/
# A library that is missing shall break the build, not the first start.
RUN for program in /usr/local/bin/galleon*; do \
    if ldd "$program" | grep 'not found'; then exit 1; fi; \
  done \
  && galleonctl --help >/dev/null
VOLUME /var/lib/galleonfs
ENTRYPOINT ["galleonfs"]
CMD ["--help"]
