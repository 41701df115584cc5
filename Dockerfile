# One image for every process: `guoyuan api`, `ingest`, `worker`, `migrate`, `broker`.
FROM python:3.12-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv/guoyuan
# What the processes need goes into the image; what builds the wheel stays in this stage. Both are pinned by hash.
COPY requirements.lock requirements-runtime.lock ./
RUN python -m venv /opt/guoyuan \
    && /opt/guoyuan/bin/pip install --require-hashes --only-binary :all: -r requirements-runtime.lock \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY services services
COPY api api
COPY devices devices
COPY ops ops
COPY migrations migrations
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /srv/wheels . \
    && /opt/guoyuan/bin/pip install --no-deps --no-index /srv/wheels/*.whl

FROM python:3.12-slim-bookworm
# Mosquitto for the broker's container; the other processes do not touch it.
RUN apt-get update \
    && apt-get install -y --no-install-recommends mosquitto \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/guoyuan --create-home guoyuan
COPY --from=build /opt/guoyuan /opt/guoyuan
COPY deploy/alive.py /opt/guoyuan/alive.py
ENV PATH=/opt/guoyuan/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GUOYUAN_MODE=production \
    GUOYUAN_LOG_JSON=true \
    GUOYUAN_API_HOST=0.0.0.0 \
    GUOYUAN_DATA_DIR=/var/lib/guoyuan
USER guoyuan
WORKDIR /var/lib/guoyuan
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["python", "/opt/guoyuan/alive.py", "api"]
ENTRYPOINT ["guoyuan"]
CMD ["api"]
