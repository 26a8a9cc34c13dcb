# The daemon in a container: docs/deployment.md tells how it is built, run and upgraded.

FROM python:3.13-slim AS build
WORKDIR /src
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1
# The image is read-only where it runs: its bytecode is never out of date, so nobody need compare it with the source.
ENV PYC_INVALIDATION_MODE=UNCHECKED_HASH
COPY deploy/requirements-build.txt deploy/requirements.txt deploy/
RUN python -m venv /build \
 && /build/bin/pip install --quiet --no-cache-dir --require-hashes -r deploy/requirements-build.txt \
 && /build/bin/uv venv --quiet --python /usr/local/bin/python3 /opt/marquee \
 && /build/bin/uv pip sync --quiet --python /opt/marquee/bin/python --require-hashes deploy/requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY config/marquee.toml config/
COPY daemon daemon
COPY integrations integrations
COPY simulators simulators
RUN /build/bin/hatchling build --target wheel --directory /wheel \
 && /build/bin/uv pip install --quiet --python /opt/marquee/bin/python --no-deps --no-index /wheel/*.whl

FROM python:3.13-slim
# What could install something is of no use to a daemon: it is not part of what runs.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/ensurepip /usr/local/lib/python3*/site-packages/pip* \
 && groupadd --system --gid 10001 marquee \
 && useradd --system --uid 10001 --gid marquee --no-log-init --home-dir /data --shell /usr/sbin/nologin marquee \
 && install --directory --owner marquee --group marquee --mode 0700 /data \
 && install --directory /app/config
COPY --from=build /opt/marquee /opt/marquee

# 0.0.0.0 because loopback in a container is the container's own; what is published is up to whoever runs it.
ENV PATH=/opt/marquee/bin:$PATH \
    MARQUEE_DATA_DIR=/data \
    MARQUEE_HTTP__HOST=0.0.0.0
# config/local.toml is looked for here. Root may be read-only: the daemon writes to /data, and needs a /tmp.
WORKDIR /app
VOLUME /data
EXPOSE 8420
# By number, so that Kubernetes can see that it is not root.
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["marquee", "healthcheck"]
ENTRYPOINT ["marquee"]
CMD ["run"]

ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Marquee" \
      org.opencontainers.image.description="One daemon that joins Plex media servers and a Discord community" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
