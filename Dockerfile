# syntax=docker/dockerfile:1
# Weir in one image; the command chooses the role: serve, web, worker, connect, doctor, audit, …

# Stage 1 has the tools that build. Dependencies come first: they change seldom, so the layer is kept.
FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
WORKDIR /src
COPY requirements-uv.lock requirements.lock ./
RUN python -m venv /opt/weir \
 && /opt/weir/bin/python -m pip install --quiet --require-hashes -r requirements-uv.lock \
 && /opt/weir/bin/uv pip sync --no-cache --require-hashes --python /opt/weir/bin/python requirements.lock
COPY pyproject.toml hatch_build.py requirements.in README.md LICENSE ./
COPY actors actors
COPY connectors connectors
COPY storage storage
COPY streams streams
COPY loadtest loadtest
COPY emulator emulator
COPY services services
COPY api api
COPY ui ui
COPY weir weir
RUN /opt/weir/bin/uv pip install --no-cache --no-deps --no-build-isolation --python /opt/weir/bin/python .

# Stage 2 has what runs and nothing else: no compiler, no sources, no package cache.
FROM python:3.12-slim
RUN groupadd --system --gid 10001 weir \
 && useradd --system --uid 10001 --gid weir --home-dir /var/lib/weir --create-home --shell /usr/sbin/nologin weir
COPY --from=build /opt/weir /opt/weir
ENV PATH=/opt/weir/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# Inside a container only its own network reaches these addresses; the data folder is for the embedded mode.
ENV WEIR_HOST=0.0.0.0 WEIR_DATA_DIR=/var/lib/weir/data WEIR_LOG_FORMAT=json
USER 10001:10001
WORKDIR /var/lib/weir
EXPOSE 8080 8081
# A worker answers on 8081, every other role on 8080. Alive is enough here: what is alive but not ready must
# not be restarted for that, it may be waiting for a service that is down.
COPY deploy/alive.py /usr/local/share/weir/alive.py
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "/usr/local/share/weir/alive.py"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["weir"]
CMD ["serve"]
